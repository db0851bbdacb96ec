import { ApprovalError } from './errors.ts'
import type { Actor } from './identity.ts'
import { createLimiter } from './limiter.ts'
import { limitOf, type Policy } from './policy.ts'
import type { Call } from './request.ts'

/** Users and tools whose calls are counted. */
const MOST_COUNTED = 10_000

interface Asking<T> {
  /** Of the user and the call. */
  readonly key: string
  readonly isAsked: () => Promise<boolean>
  readonly ask: () => Promise<T>
}

/** How often a user may call a tool, as the policy has it. Every call counts before anybody is asked about it. */
export function createLimits(isOn: () => boolean, policy: () => Policy) {
  const limiter = createLimiter(MOST_COUNTED)
  /** How many are asking right now. */
  const asking = new Map<string, number>()

  /**
   * @returns takes it back, for what turns out to be no call of its own
   * @throws ApprovalError `rate_limited`, with `retry_after` in whole seconds
   */
  function count({ user_id }: Actor, { server, tool }: Call, now: number): () => void {
    if (!isOn()) return () => undefined
    const key = JSON.stringify([user_id, server, tool])
    const limit = limitOf(policy(), { server, tool })
    const left = limiter.take(key, limit, now)
    if (left === 0) return () => limiter.giveBack(key, now)
    const retry_after = Math.ceil(left / 1000)
    const sentence = `${user_id} may call ${tool} ${limit.per_minute + limit.burst} times in 60 s; that is used up. Try again in ${retry_after} s`
    throw new ApprovalError('rate_limited', sentence, { retry_after, ...limit })
  }

  /**
   * Whoever joins an identical call that waits, or comes back for it, makes no new call: it does not count, and is not
   * refused when the limit is used up.
   * @throws ApprovalError `rate_limited`
   */
  async function within<T extends { joined: boolean }>(
    actor: Actor,
    call: Call,
    now: number,
    { key, isAsked, ask }: Asking<T>,
  ): Promise<T> {
    // Whether it joins matters to the limit alone.
    if (!isOn()) return ask()
    const joins = asking.has(key) || (await isAsked())
    // While that was looked up another may have begun to ask.
    const uncount = joins || asking.has(key) ? () => undefined : count(actor, call, now)
    asking.set(key, (asking.get(key) ?? 0) + 1)
    try {
      const asked = await ask()
      if (asked.joined) uncount()
      return asked
    } catch (error) {
      // Nobody was asked: the queue was full, or the store failed.
      uncount()
      throw error
    } finally {
      const others = asking.get(key)! - 1
      if (others === 0) asking.delete(key)
      else asking.set(key, others)
    }
  }

  return { count, within }
}
