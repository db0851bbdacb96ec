import { redact } from '../approval/redact.ts'
import type { Settings } from '../config.ts'
import { printable, truncate } from '../report/printable.ts'
import type { Messages } from './messages.ts'
import type { WireRequest } from './wire.ts'

/** `4:59`, from an hour on `1:00:00`. Never negative. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds))
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), String(whole % 60).padStart(2, '0')]
  return h > 0 ? `${h}:${String(m).padStart(2, '0')}:${s}` : `${m}:${s}`
}

/** A length of time in its largest whole unit: `12 s`, `3 min`. */
export function span(ms: number, t: Messages): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  if (seconds < 60) return t.span.seconds(seconds)
  if (seconds < 3600) return t.span.minutes(Math.floor(seconds / 60))
  if (seconds < 86_400) return t.span.hours(Math.floor(seconds / 3600))
  return t.span.days(Math.floor(seconds / 86_400))
}

/** Seconds until a pending request expires; 0 when it has, or is no longer pending. */
export const secondsLeft = (request: WireRequest, now: number): number =>
  request.status === 'pending' ? Math.max(0, (Date.parse(request.expires_at ?? '') - now) / 1000) : 0

/** What remains: `4:59`, or what became of the request and when: `expired 3 min ago`. */
export function remaining(request: WireRequest, now: number, t: Messages): string {
  const seconds = secondsLeft(request, now)
  if (seconds > 0) return clock(seconds)
  const status = request.status === 'pending' ? 'expired' : request.status
  const at = Date.parse((status === 'expired' ? request.expires_at : request.responded_at) ?? '')
  return Number.isNaN(at) ? t.status[status] : t.since(t.status[status], span(now - at, t))
}

/** `2026-11-22 09:00:01 Asia/Seoul`; `-` for an instant that a row does not have. */
export function instant(iso: string | null, { OPS_TIMEZONE }: Pick<Settings, 'OPS_TIMEZONE'>): string {
  return iso === null ? '-' : `${localTime(iso, OPS_TIMEZONE, 'short')} ${OPS_TIMEZONE}`
}

/** `09:00:01` in the team's zone. */
export const timeOfDay = (iso: string, zone: string): string => localTime(iso, zone, undefined)

/** The Swedish form of a date is the ISO one. */
function localTime(iso: string, timeZone: string, dateStyle: 'short' | undefined): string {
  return new Intl.DateTimeFormat('sv-SE', { timeZone, timeStyle: 'medium', ...(dateStyle && { dateStyle }) }).format(
    Date.parse(iso),
  )
}

/** For each id its first 8 digits, or as many more as tell it from the others. */
export function shortIds(ids: readonly string[]): Map<string, string> {
  const sorted = [...new Set(ids)].sort()
  const shared = (a: string | undefined, b: string) => {
    let length = 0
    while (a !== undefined && length < b.length && a[length] === b[length]) length++
    return length
  }
  return new Map(
    sorted.map((id, i) => [id, id.slice(0, Math.max(8, shared(sorted[i - 1], id) + 1, shared(sorted[i + 1], id) + 1))]),
  )
}

/** The arguments in one line: secrets replaced, dangerous characters visible, cut to `columns`. */
export function summary(requestData: string, columns: number): string {
  let value: unknown
  try {
    value = redact(JSON.parse(requestData))
  } catch {
    value = requestData
  }
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  const line = isObject
    ? Object.entries(value as object)
        .map(([key, item]) => `${key}=${typeof item === 'string' ? item : JSON.stringify(item)}`)
        .join(' ')
    : JSON.stringify(value)
  return truncate(printable(line.slice(0, 2000)), columns)
}
