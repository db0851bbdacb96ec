import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { ROOT } from './config.ts'

/** The scheduler is a process of its own: a slow report cannot touch the server. It ends when this process does. */
export function startScheduler(port: number, log: Logger): { stop: () => void } {
  let child: ChildProcess
  let stopped = false
  const start = () => {
    const args = ['--import', import.meta.resolve('tsx/esm'), join(ROOT, 'src', 'scheduler.ts')]
    const env = { ...process.env, PORT: String(port) }
    child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], env, cwd: ROOT })
    child.on('error', (error) => log.error({ err: error }, 'the scheduler did not start'))
    child.on('exit', (code, signal) => {
      if (stopped) return
      log.error({ code, signal }, 'the scheduler ended; starting it again in 10 s')
      setTimeout(start, 10_000)
    })
  }
  start()
  return {
    stop() {
      stopped = true
      child.kill('SIGTERM')
    },
  }
}
