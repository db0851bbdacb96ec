import { fork } from 'node:child_process'
import { join } from 'node:path'
import type { ArchivesAudit } from './approval/audit.ts'
import { ROOT } from './config.ts'
import type { Made, MakeTask } from './store/archive-make.ts'
import type { VerifyTask } from './store/archive-read.ts'

/** What src/archiver.ts is sent. */
export type ArchiverTask = ({ readonly kind: 'make' } & MakeTask) | ({ readonly kind: 'verify' } & VerifyTask)

export interface Archiver {
  /** @throws Error that says why the month cannot be moved */
  make(task: MakeTask): Promise<Made | null>
  verify(task: VerifyTask): Promise<ArchivesAudit>
}

/**
 * Runs each task in a process of its own: a month of a busy desk takes seconds to copy and to verify.
 * @param stopping ends what is under way
 */
export function archiverChild(stopping: AbortSignal): Archiver {
  function run<T>(task: ArchiverTask): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const execArgv = ['--import', import.meta.resolve('tsx/esm')]
      const stdio = ['ignore', 'ignore', 'inherit', 'ipc'] as const
      const child = fork(join(ROOT, 'src', 'archiver.ts'), { execArgv, stdio: [...stdio], cwd: ROOT, signal: stopping })
      child.on('message', (answer: { result: T } | { error: string }) => {
        if ('error' in answer) reject(new Error(answer.error))
        else resolve(answer.result)
      })
      child.on('error', reject)
      child.on('exit', (code, signal) => reject(new Error(`the archiver ended with ${signal ?? code}`)))
      child.send(task, (error) => error && reject(error))
    })
  }
  return {
    make: (task) => run<Made | null>({ kind: 'make', ...task }),
    verify: (task) => run<ArchivesAudit>({ kind: 'verify', ...task }),
  }
}
