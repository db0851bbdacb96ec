/**
 * A signal that aborts after `ms`, or with any of `others` (the caller left, the server stops). `release` frees it:
 * `AbortSignal.any` would keep its sources' lists growing for as long as the server runs.
 */
export function holdFor(ms: number, others: readonly AbortSignal[]): { signal: AbortSignal; release: () => void } {
  const controller = new AbortController()
  const end = () => controller.abort()
  const timer = setTimeout(end, ms)
  for (const other of others) {
    if (other.aborted) end()
    else other.addEventListener('abort', end)
  }
  return {
    signal: controller.signal,
    release() {
      clearTimeout(timer)
      for (const other of others) other.removeEventListener('abort', end)
      end()
    },
  }
}
