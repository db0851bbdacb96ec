import type { ApprovalService } from './approval/service.ts'
import type { Store } from './approval/store.ts'

export interface PulseDeps {
  readonly store: Store
  readonly service: () => ApprovalService
  readonly clock: () => number
  /** Milliseconds between two beats when no deadline comes first. */
  readonly interval: () => number
  /** What else is looked at with every beat. */
  readonly also: () => Promise<void>
  readonly onError: (error: unknown) => void
}

/** What time and other processes do: deadlines pass, leases end, another process decides, a full disk has room again. */
export interface Pulse {
  beat(): Promise<void>
  /** A deadline that must not be missed, ms since 1970. */
  expect(deadline: number): void
  stop(): void
}

/** setTimeout takes 31 bits; a later deadline is looked at again then. */
const LONGEST = 2 ** 31 - 1

export function createPulse({ store, service, clock, interval, also, onError }: PulseDeps): Pulse {
  let stopped = false
  let regular: NodeJS.Timeout | undefined
  let early: NodeJS.Timeout | undefined
  let earliest = Number.POSITIVE_INFINITY
  let complaint = ''

  async function beat(): Promise<void> {
    earliest = Number.POSITIVE_INFINITY
    try {
      if (store.failure()) await store.tryWrite()
      await service().sweep(clock())
      const next = await store.nextDeadline()
      if (next !== undefined) expect(next)
      await also()
      if (await store.changedElsewhere()) await service().noticeOthers(clock())
      complaint = ''
    } catch (error) {
      // Said once, not with every beat.
      const { message } = error as Error
      if (message !== complaint) onError(error)
      complaint = message
    }
    if (stopped) return
    clearTimeout(regular)
    regular = setTimeout(() => void beat(), interval())
  }

  function expect(deadline: number): void {
    if (!(deadline < earliest) || stopped) return
    clearTimeout(early)
    earliest = deadline
    early = setTimeout(() => void beat(), Math.min(Math.max(deadline - clock(), 0) + 1, LONGEST))
  }

  return {
    beat,
    expect,
    stop() {
      stopped = true
      clearTimeout(regular)
      clearTimeout(early)
    },
  }
}
