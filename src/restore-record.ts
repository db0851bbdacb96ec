import { parseRestoreResult, type RestoreResult } from './report/restore-result.ts'
import type { System } from './system/system.ts'

export interface RestoreRecordDeps {
  readonly system: Pick<System, 'stat' | 'readFrom'>
  /** `restores.jsonl` */
  readonly file: string
  /** Durable when it resolves, and without effect for a restore that is in the record. */
  readonly append: (restore: RestoreResult) => Promise<unknown>
  readonly log: { error: (facts: object, text: string) => void; warn: (facts: object, text: string) => void }
}

/**
 * Takes restores over into the record, which a restore cannot do itself: only the server writes there. The record is
 * that of the backup, so that it tells of no restore since: whatever it lacks is appended, the oldest first. Never
 * rejects: what could not be recorded waits for the next start or SIGHUP.
 */
export async function recordRestores({ system, file, append, log }: RestoreRecordDeps): Promise<void> {
  try {
    const facts = await system.stat(file)
    if (facts === null) return
    // Opening a pipe would wait for ever.
    if (facts.kind !== 'file') throw new Error(`${file} is not a file`)
    let line = 0
    for await (const { text } of (await system.readFrom(file, 0)).lines) {
      line++
      let restore: RestoreResult
      try {
        restore = parseRestoreResult(text)
      } catch (error) {
        log.warn({ file, line, problem: (error as Error).message }, 'not a restore; left alone')
        continue
      }
      await append(restore)
    }
  } catch (error) {
    log.error({ err: error, file }, 'restores wait to be recorded')
  }
}
