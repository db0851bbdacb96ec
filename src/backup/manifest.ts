/** What is known of the contents of a database: enough to see that another one holds the same. */
export interface DatabaseFacts {
  /** SHA-256 over the schema's statements and its version. */
  readonly schema_sha256: string
  /** Rows per table. */
  readonly tables: Readonly<Record<string, number>>
  /** As it is stored, UTC; null without requests. */
  readonly newest_request: string | null
  /** Where the record of events ends; null in a database that keeps none. */
  readonly chain_head: { readonly seq: number; readonly hash: string } | null
}

/** One file of a backup. */
export interface KeptFile {
  /** Its name in the backup's folder. */
  readonly file: string
  /** Where it was copied from. */
  readonly source: string
  readonly sha256: string
  readonly bytes: number
}

/** `manifest.json` of a backup. A backup has one only because a restore of it was tried and gave back the same. */
export interface Manifest {
  readonly schema: typeof MANIFEST_SCHEMA
  readonly name: string
  /** ISO 8601 */
  readonly taken_at: string
  readonly took_ms: number
  readonly database: KeptFile & DatabaseFacts
  /** The ledger, `.env` and the policy, as far as there were any. */
  readonly others: readonly KeptFile[]
  /** What could not be kept, and why. */
  readonly left_out: readonly { readonly file: string; readonly reason: string }[]
}

export const MANIFEST_SCHEMA = 'ops.backup-manifest.v1'
export const MANIFEST_FILE = 'manifest.json'
export const DATABASE_FILE = 'security.db'

/** Folders of finished backups, and of those that are being made or removed. */
export const BACKUP_NAME = /^security-\d{8}T\d{6}\.\d{3}Z$/
export const UNFINISHED_NAME = /^security-\d{8}T\d{6}\.\d{3}Z\.(part|removing)$/

/** Is there while a database is being replaced by a backup, and says how far that has come. */
export const restoreNotePath = (database: string): string => `${database}.restore.json`

/** Sorts by time. */
export const backupName = (now: number): string => `security-${new Date(now).toISOString().replace(/[-:]/g, '')}`

/** @throws Error that says what is wrong with it */
export function parseManifest(text: string, name: string): Manifest {
  const found = JSON.parse(text) as Manifest
  const wrong = problemOf(found, name)
  if (wrong) throw new Error(`${MANIFEST_FILE}: ${wrong}`)
  return found
}

function problemOf(found: Manifest, name: string): string | undefined {
  if (found?.schema !== MANIFEST_SCHEMA) return `not of ${MANIFEST_SCHEMA}`
  if (found.name !== name) return `of another backup (${found.name})`
  if (typeof found.taken_at !== 'string' || Number.isNaN(Date.parse(found.taken_at))) return 'no taken_at'
  if (!Array.isArray(found.others) || !Array.isArray(found.left_out)) return 'no list of files'
  const files = [found.database, ...found.others]
  if (!files.every(isKeptFile)) return 'a file without name, size or SHA-256'
  const { tables, schema_sha256, newest_request: newest, chain_head: head } = found.database
  if (typeof schema_sha256 !== 'string' || !isCounts(tables)) return 'no row counts'
  if (newest !== null && typeof newest !== 'string') return 'no newest request'
  if (head !== null && !(Number.isInteger(head?.seq) && typeof head.hash === 'string')) return 'no chain head'
  return undefined
}

/** A name with a slash in it could lead anywhere. */
const isKeptFile = (kept: KeptFile | undefined): boolean =>
  typeof kept?.file === 'string' &&
  /^[\w.-]+$/.test(kept.file) &&
  /^[0-9a-f]{64}$/.test(kept.sha256) &&
  Number.isInteger(kept.bytes)

const isCounts = (tables: unknown): boolean =>
  typeof tables === 'object' && tables !== null && Object.values(tables).every(Number.isInteger)

/** What differs between what a copy should hold and what it holds; undefined when nothing does. */
export function difference(wanted: DatabaseFacts, found: DatabaseFacts): string | undefined {
  if (wanted.schema_sha256 !== found.schema_sha256) return 'another schema'
  for (const [table, rows] of Object.entries(wanted.tables)) {
    if (found.tables[table] !== rows) return `${found.tables[table] ?? 'no'} rows of ${table}, not ${rows}`
  }
  if (wanted.newest_request !== found.newest_request) {
    return `the newest request is of ${found.newest_request}, not ${wanted.newest_request}`
  }
  const [want, is] = [wanted.chain_head, found.chain_head]
  if (want?.seq !== is?.seq || want?.hash !== is?.hash) {
    return `the record ends with event ${is?.seq ?? '-'}, not ${want?.seq ?? '-'}`
  }
  return undefined
}
