import { readFileSync, rmSync } from 'node:fs'
import type { Logger } from 'pino'
import { processAt } from './system/processes.ts'
import { replaceFile } from './system/write.ts'

/** Says where this server is, for the toolkit. Written at start; one that cannot be written costs the toolkit, not us. */
export async function keepServerFile(
  path: string,
  facts: { readonly url: string; readonly env_file: string },
  log: Logger,
): Promise<{ remove: () => void }> {
  const text = `${JSON.stringify({ process: await processAt(process.pid), ...facts }, null, 2)}\n`
  try {
    await replaceFile(path, text, { mode: 0o640, force: true })
  } catch (error) {
    log.warn({ err: error, path }, 'rollbacks will not find this server')
  }
  return {
    /** A newer server's file stays. */
    remove() {
      try {
        if (readFileSync(path, 'utf8') === text) rmSync(path)
      } catch {
        // Gone already.
      }
    },
  }
}
