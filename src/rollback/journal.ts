import { join } from 'node:path'
import type { System } from '../system/system.ts'
import type { Begun, Result, What } from './records.ts'

/** Called at every moment that is kept, after it is on the disk; tests stop there. */
export type Pause = (moment: string) => Promise<void>

interface JournalDeps {
  readonly system: System
  readonly now: () => number
  readonly pause: Pause
}

/** So much of the disk is kept back for the last lines of a run whose disk became full. */
const RESERVE_BYTES = 32 * 1024

/** The memory of one run, in its folder: `plan.json`, one line per moment, `result.json`. */
export class Journal {
  readonly folder: string
  readonly #deps: JournalDeps

  constructor(folder: string, deps: JournalDeps) {
    this.folder = folder
    this.#deps = deps
  }

  /** From here on the world may change. */
  async begin(begun: Begun): Promise<void> {
    const { system } = this.#deps
    await system.replaceFile(join(this.folder, 'reserve'), Buffer.alloc(RESERVE_BYTES, 0x20))
    await system.replaceFile(join(this.folder, 'plan.json'), `${JSON.stringify(begun, null, 2)}\n`)
    await this.note('begun')
  }

  async note(what: What, step?: string, detail?: string): Promise<void> {
    const at = new Date(this.#deps.now()).toISOString()
    const line = JSON.stringify({ at, what, ...(step ? { step } : {}), ...(detail ? { detail } : {}) })
    await this.#kept(() => this.#deps.system.appendLine(join(this.folder, 'journal.jsonl'), line))
    await this.#deps.pause([what, step, detail].filter(Boolean).join(' '))
  }

  async finish(result: Result): Promise<void> {
    await this.note('finished', undefined, result.outcome)
    await this.#kept(() =>
      this.#deps.system.replaceFile(join(this.folder, 'result.json'), `${JSON.stringify(result, null, 2)}\n`),
    )
    await this.#deps.system.remove(join(this.folder, 'reserve'))
    await this.#deps.pause('recorded')
  }

  async #kept(write: () => Promise<void>): Promise<void> {
    try {
      await write()
    } catch (error) {
      if (!['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
      await this.#deps.system.remove(join(this.folder, 'reserve'))
      await write()
    }
  }
}
