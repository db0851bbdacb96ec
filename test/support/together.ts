import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { TSX } from './server.ts'

/** Processes that get the same message, and answer each message with one. */
export interface Together {
  /** What each of them answers. */
  all(message: string | object): Promise<unknown[]>
  kill(): void
}

export async function startTogether(count: number, script: URL, ...args: string[]): Promise<Together> {
  const processes: ChildProcess[] = []
  for (let n = 0; n < count; n++) processes.push(fork(script.pathname, args, { execArgv: ['--import', TSX] }))
  /** What each says next; one that ends instead is not waited for. */
  const answers = (): Promise<unknown[]> =>
    Promise.all(
      processes.map(async (it) => {
        const heard = new AbortController()
        const ended = once(it, 'exit', heard).then(([code]) => [`ended with ${code}`])
        const answer = await Promise.race([once(it, 'message', heard), ended])
        heard.abort()
        return answer[0]
      }),
    )
  await answers()
  return {
    all(message) {
      const all = answers()
      for (const it of processes) it.send(message)
      return all
    },
    kill() {
      for (const it of processes) it.kill('SIGKILL')
    },
  }
}
