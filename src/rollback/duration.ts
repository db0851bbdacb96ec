const HOUR = 3_600_000
const MINUTE = 60_000
export const LONGEST = 24 * HOUR

/** `30m`, `2h`, `1h30m` in milliseconds; `undefined` for anything else, for nothing, and for more than a day. */
export function parseDuration(text: string): number | undefined {
  const [, hours, minutes] = /^(?:(\d{1,4})h)?(?:(\d{1,4})m)?$/.exec(text) ?? []
  const ms = Number(hours ?? 0) * HOUR + Number(minutes ?? 0) * MINUTE
  return ms > 0 && ms <= LONGEST ? ms : undefined
}

/** The end of a lease that begins now: on a whole minute, and never shorter than asked. */
export const leaseEnd = (now: number, duration: number): number => Math.ceil((now + duration) / MINUTE) * MINUTE
