import { dirname, join } from 'node:path'
import { reportsPath, type Settings } from './config.ts'
import type { Keep } from './jobs/job.ts'
import type { Lang, Report } from './report/document.ts'
import { changesBetween, keptWords, revised } from './report/kept.ts'
import { render } from './report/render.ts'
import { shellWord } from './report/unmeasured.ts'
import { lockFile } from './store/lock-file.ts'
import type { System } from './system/system.ts'

/** What became of a report that was to be kept. `path` is without the format: `.../2026-11-22-daily.r2`. */
interface Kept {
  readonly path: string
  readonly revision: number
  /** How many figures this revision gives otherwise; 0 when nothing was written. */
  readonly changes: number
  readonly written: boolean
}

type Files = Pick<System, 'list' | 'readText' | 'replaceFile' | 'makeFolder' | 'remove'>

interface Outcome {
  readonly report: Report
  readonly keep: Keep
}

interface Place {
  readonly system: Files
  readonly folder: string
  readonly lang: Lang
}

/** The renderers' width counts for the table format alone, which is not kept. */
const PAPER = { columns: 80, colour: false }
const MODE = 0o600
const FORMATS = [
  ['markdown', 'md'],
  ['html', 'html'],
  ['json', 'json'],
] as const
const MAX_BYTES = 256 * 1024 ** 2
/** How long another report that is being kept is waited for. */
const PATIENCE_MS = 20_000

/**
 * Keeps a report as Markdown, HTML and JSON. Repeated with the same figures it changes nothing; with others it is a
 * revision of its own that says what changed, and what was kept before stays. The JSON comes last and makes the
 * revision whole: what a crash left without it is written again.
 * @throws Error of the file system; nothing half is left under a final name
 */
export async function keepReport(outcome: Outcome, place: Place): Promise<Kept> {
  const { system, folder } = place
  await system.makeFolder(folder)
  // Two that keep the same report would take each other's files for what a crash left.
  const release = lockFile(`${folder}.lock`, PATIENCE_MS)
  if (!release) throw new Error(`${folder}: another report is being kept`)
  try {
    return await keepAlone(outcome, place)
  } finally {
    release()
  }
}

async function keepAlone({ report, keep }: Outcome, { system, folder, lang }: Place): Promise<Kept> {
  const name = `${keep.period}-${keep.name}`
  const last = await lastRevision(system, folder, name)
  let whole = report
  let changes = 0
  if (last > 0) {
    const path = join(folder, fileName(name, last))
    const before = await figuresOf(system, `${path}.json`, report.schema, keep)
    const changed = changesBetween(before, keep.figures(report.data))
    if (changed.length === 0) return { path, revision: last, changes: 0, written: false }
    changes = changed.length
    whole = revised(report, last + 1, changed)
  }
  const path = join(folder, fileName(name, last + 1))
  try {
    for (const [format, ending] of FORMATS) {
      await system.replaceFile(`${path}.${ending}`, render(whole, format, lang, PAPER), { mode: MODE })
    }
  } catch (error) {
    // A part of a revision is none.
    for (const [, ending] of FORMATS) await system.remove(`${path}.${ending}`).catch(() => {})
    throw error
  }
  return { path, revision: last + 1, changes, written: true }
}

const fileName = (name: string, revision: number): string => (revision === 1 ? name : `${name}.r${revision}`)

/** 0 when none is whole. */
async function lastRevision(system: Files, folder: string, name: string): Promise<number> {
  const names = new Set(await system.list(folder))
  let last = 0
  while (names.has(`${fileName(name, last + 1)}.json`)) last += 1
  return last
}

async function figuresOf(system: Files, path: string, schema: string, keep: Keep): Promise<object> {
  const text = await system.readText(path, MAX_BYTES)
  try {
    const data = JSON.parse(text) as { readonly schema?: unknown }
    if (data.schema === schema) return keep.figures(data)
  } catch {
    // Said below.
  }
  throw new Error(`${path} is not what was kept: it cannot be read as ${schema}`)
}

/** Keeps it beside the database, in the team's language. @returns what to tell on stderr; it never rejects */
export async function keepAndTell(
  outcome: Outcome,
  settings: Pick<Settings, 'SECURITY_DB_PATH' | 'OPS_LANG'>,
  { system, lang }: { readonly system: Files; readonly lang: Lang },
): Promise<{ readonly kept: boolean; readonly said: string }> {
  const say = keptWords(lang)
  const folder = reportsPath(settings)
  try {
    const { path, revision, changes, written } = await keepReport(outcome, { system, folder, lang: settings.OPS_LANG })
    if (!written) return { kept: true, said: say('unchanged', { path: `${path}.md` }) }
    const said =
      revision === 1
        ? say('kept', { path: `${path}.md` })
        : say('kept_revision', { path: `${path}.md`, revision, n: changes })
    return { kept: true, said }
  } catch (error) {
    const command = `df -h ${shellWord(dirname(folder))}`
    return { kept: false, said: say('failed', { cause: (error as Error).message, command }) }
  }
}
