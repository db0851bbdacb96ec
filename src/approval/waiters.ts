/** Key under which callers wait for any event at all. */
export const ANY_EVENT = '*'

/** Callers that hold on until something changes. Woken by the change itself; nothing here polls. */
export interface Waiters {
  /** Resolves when `key` is woken, or when `signal` aborts (the caller left, or its time is up). */
  wait(key: string, signal: AbortSignal): Promise<void>
  wake(key: string): void
  /** The keys somebody waits for. */
  keys(): string[]
  /** How many callers wait. */
  count(): number
}

export function createWaiters(): Waiters {
  const waiting = new Map<string, Set<() => void>>()
  let count = 0
  return {
    wait(key, signal) {
      if (signal.aborted) return Promise.resolve()
      return new Promise((resolve) => {
        const release = () => {
          const callers = waiting.get(key)
          if (!callers?.delete(release)) return
          if (callers.size === 0) waiting.delete(key)
          count--
          signal.removeEventListener('abort', release)
          resolve()
        }
        const callers = waiting.get(key) ?? new Set()
        waiting.set(key, callers.add(release))
        count++
        signal.addEventListener('abort', release)
      })
    },
    wake(key) {
      for (const release of [...(waiting.get(key) ?? [])]) release()
    },
    keys: () => [...waiting.keys()],
    count: () => count,
  }
}
