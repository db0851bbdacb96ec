import { printable } from './report/printable.ts'
import { rollbackWords } from './rollback/words.ts'
import type { Run } from './rollback-context.ts'

export type Stopper = ReturnType<typeof stopper>

/**
 * Signals and the deadline. SIGINT, SIGTERM and the deadline: what was begun is taken back. SIGHUP: nobody looks any
 * more, but what was confirmed is brought to its end; a question that stands is answered by no.
 */
export function stopper({ options, process }: Pick<Run, 'options' | 'process'>) {
  const controller = new AbortController()
  const say = rollbackWords(options.lang)
  const tell = (text: string) => process.stderr.write(`${printable(text)}\n`)
  let asking = false
  let timedOut = false
  const end = (signal: NodeJS.Signals) => {
    tell(say('safe_point', { signal }))
    controller.abort(signal)
  }
  const hangup = () => {
    if (asking) return controller.abort('SIGHUP')
    tell(say('hangup'))
  }
  process.on('SIGINT', end).on('SIGTERM', end).on('SIGHUP', hangup)
  const timer = setTimeout(() => {
    timedOut = true
    controller.abort(say('deadline', { seconds: options.timeoutSeconds }))
  }, options.timeoutSeconds * 1000)
  return {
    signal: controller.signal,
    timedOut: () => timedOut,
    async asking(question: () => Promise<boolean>): Promise<boolean> {
      asking = true
      try {
        return await question()
      } finally {
        asking = false
      }
    },
    end() {
      clearTimeout(timer)
      process.off('SIGINT', end).off('SIGTERM', end).off('SIGHUP', hangup)
    },
  }
}
