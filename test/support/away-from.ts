import { setTimeout as sleep } from 'node:timers/promises'

const DAY = 86_400_000

/**
 * Waits while this time of the day (UTC, ms) is near: what a test writes and what it reads afterwards lie on one side of
 * it.
 */
export async function awayFrom(time: number): Promise<void> {
  const left = (DAY + time - (Date.now() % DAY)) % DAY
  if (left < 60_000) await sleep(left + 2000)
  else if (DAY - left < 2000) await sleep(2000)
}
