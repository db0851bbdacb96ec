/**
 * Process groups that this process has started and that still run. They are sessions of their own, so neither the
 * terminal nor the death of this process ends them: we must.
 */
const live = new Set<number>()
let armed = false

/** What those who are asked to end may take before they are ended. */
const GRACE_MS = 1_000

export function rememberGroup(pgid: number): void {
  if (!armed) arm()
  armed = true
  live.add(pgid)
}

export function forgetGroup(pgid: number): void {
  live.delete(pgid)
}

/** Signals one group; true when it had a member. */
export function signalGroup(pgid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(-pgid, signal)
    return true
  } catch {
    return false
  }
}

function signalGroups(signal: NodeJS.Signals): void {
  for (const pgid of live) signalGroup(pgid, signal)
}

/** Ctrl-C, SIGTERM and a closed terminal end the programs we started and then us, unless a main sees to it itself. */
function arm(): void {
  process.once('exit', () => signalGroups('SIGKILL'))
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    const end = (): void => {
      if (process.listenerCount(signal) > 1) return
      process.removeListener(signal, end)
      signalGroups('SIGTERM')
      const leave = (): void => {
        signalGroups('SIGKILL')
        process.kill(process.pid, signal)
      }
      setTimeout(leave, live.size > 0 ? GRACE_MS : 0)
    }
    process.on(signal, end)
  }
}
