import { createLife, type Life } from './approval/life.ts'
import type { Store } from './approval/store.ts'

/** What a killed server may lose of it; src/jobs/unanswered.ts counts with this. */
const INTERVAL_MS = 1000
/** Rows of one transaction: no commit may keep the event loop for long. */
const BATCH = 256

export interface LifeWriter extends Pick<Life, 'see'> {
  /** Writes everything now. Rejects when it could not; then it is tried again. */
  flush(): Promise<void>
}

/** Writes who saw which request, together, once an interval. No answer waits for it. */
export function createLifeWriter(store: Pick<Store, 'recordLife'>, onError: (error: unknown) => void): LifeWriter {
  let timer: NodeJS.Timeout | undefined
  let underWay: Promise<void> = Promise.resolve()
  let complaint = ''
  const life = createLife(() => {
    timer ??= setTimeout(() => void flush().catch(complain), INTERVAL_MS).unref()
  })

  /** Said once, not with every try. */
  function complain(error: Error): void {
    if (error.message !== complaint) onError(error)
    complaint = error.message
  }

  async function write(): Promise<void> {
    for (let batch = life.take(BATCH); batch.length > 0; batch = life.take(BATCH)) {
      try {
        await store.recordLife(batch)
      } catch (error) {
        life.giveBack(batch)
        throw error
      }
    }
    complaint = ''
  }

  function flush(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    underWay = underWay.catch(() => {}).then(write)
    return underWay
  }

  return { see: life.see, flush }
}
