import { constants } from 'node:fs'
import { type FileHandle, open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { ReportFiles } from './http/reports.ts'

/** Exactly what src/keep-report.ts writes: `2026-11-22-daily.md`, `2026-W48-weekly.r2.json`. */
const NAME = /^\d{4}-(?:\d\d-\d\d|W\d\d)-[a-z]{1,30}(?:\.r[1-9]\d{0,4})?\.(?:md|html|json)$/
/** `r10` after `r9`. */
const ORDER = new Intl.Collator('en', { numeric: true })
const ABSENT = ['ENOENT', 'ENOTDIR', 'ELOOP', 'EISDIR']

/** The kept reports of one folder, for reading. Nothing else in it, and nothing outside of it, can be named. */
export function reportFiles(folder: string): ReportFiles {
  return {
    async names() {
      const entries = await readdir(folder, { withFileTypes: true }).catch(noEntries)
      const names = entries.filter((entry) => entry.isFile() && NAME.test(entry.name)).map(({ name }) => name)
      return names.sort((a, b) => ORDER.compare(b, a))
    },
    async read(name) {
      if (!NAME.test(name)) return null
      let file: FileHandle
      try {
        // A link is not followed, wherever it leads; a pipe is not waited for.
        file = await open(join(folder, name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
      } catch (error) {
        if (ABSENT.includes((error as NodeJS.ErrnoException).code ?? '')) return null
        throw error
      }
      try {
        return (await file.stat()).isFile() ? await file.readFile() : null
      } finally {
        await file.close()
      }
    },
  }
}

function noEntries(error: NodeJS.ErrnoException): [] {
  if (error.code === 'ENOENT') return []
  throw error
}
