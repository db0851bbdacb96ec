import { join } from 'node:path'
import type { Holder, Lock } from './rollback/engine.ts'
import { lockFile } from './store/lock-file.ts'
import type { System } from './system/system.ts'

/** The lock of all rollbacks of one data folder. Who has it stands beside it, for people; only the lock itself locks. */
export function openLock(system: System, folder: string): Lock {
  const note = join(folder, 'lock.json')
  return {
    async acquire(holder) {
      const release = lockFile(join(folder, 'lock.db'))
      if (!release) return { holder: await readHolder(system, note) }
      try {
        await system.replaceFile(note, `${JSON.stringify(holder)}\n`)
      } catch (error) {
        release()
        throw error
      }
      return { release }
    },
  }
}

async function readHolder(system: System, note: string): Promise<Holder | undefined> {
  try {
    return JSON.parse(await system.readText(note)) as Holder
  } catch {
    return undefined
  }
}
