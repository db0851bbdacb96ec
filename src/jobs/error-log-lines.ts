import { accessStatus, levelIsError, levelOf, looksLikeError } from './error-log-patterns.ts'

/** One line of a log, freed of what the transport put around it. */
export interface LogLine {
  /** When it was written; null where the line does not say so unmistakably (no time, or one without a zone). */
  readonly at: number | null
  readonly text: string
  readonly error: boolean
  /** The line declares its level (or is an access line): it stands alone unless its text is indented. */
  readonly levelled: boolean
  /** A JSON object, complete in itself: never a part of a block of lines. */
  readonly whole: boolean
}

/** What is matched and shown of one line: no pattern looks further, and none takes long on more. */
const MAX_TEXT = 4096

const COMPOSE_PREFIX = /^[\w.-]+ +\| ?/
const ESCAPES = /\x1b\[[0-9;?]*[ -/]*[@-~]/g
const TIMESTAMP = /^(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)[.,]?(\d{1,9})?(Z|[+-]\d\d:?\d\d) ?/
/** The head of a pino line below `error`; most lines are that, and need no parser. */
const QUIET_PINO = /^\{"level":[1-4]0,"time":(?:(\d{13})|"(\d{4}-[^"]{1,20}Z)"),/
const CUT_JSON = /^\{"level":(?:(\d+)|"(\w+)"),(?:"time":(?:(\d{13})|"(\d{4}-[^"]{1,20}Z)"))?/

export function readLine(raw: string): LogLine {
  const quiet = QUIET_PINO.exec(raw)
  if (quiet && !raw.includes('"statusCode":5')) return whole(pinoTime(quiet[1], quiet[2]), '', false)
  const stripped = raw.slice(0, MAX_TEXT).replace(ESCAPES, '').replace(COMPOSE_PREFIX, '')
  const stamp = TIMESTAMP.exec(stripped)
  const at = stamp ? zoned(stamp) : null
  // Docker's own stamp ends in Z and is followed by the line as the program wrote it, blanks included.
  const text = stamp && stamp[3] === 'Z' ? stripped.slice(stamp[0].length) : stripped
  if (!text.startsWith('{') || text.length < 3) return plain(at, text)
  const object = parseObject(stamp ? raw.slice(raw.indexOf('{')) : raw)
  if (object) return readObject(object, at)
  const cut = CUT_JSON.exec(text)
  if (!cut) return plain(at, text)
  const error = levelIsError(cut[1] ? Number(cut[1]) : cut[2]) ?? false
  return whole(pinoTime(cut[3], cut[4]) ?? at, text, error)
}

function pinoTime(ms: string | undefined, iso: string | undefined): number | null {
  const at = ms ? Number(ms) : Date.parse(iso ?? '')
  return Number.isNaN(at) ? null : at
}

const whole = (at: number | null, text: string, error: boolean): LogLine => ({
  at,
  text,
  error,
  levelled: true,
  whole: true,
})

function plain(at: number | null, text: string): LogLine {
  const status = accessStatus(text)
  const level = status === undefined ? levelOf(text) : status >= 500
  return { at, text, error: level ?? looksLikeError(text), levelled: level !== undefined, whole: false }
}

type JsonObject = Readonly<Record<string, unknown>>

function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function readObject(object: JsonObject, outerAt: number | null): LogLine {
  const at = timeOf(object) ?? outerAt
  // Docker's json-file driver wraps each line of the program.
  if (typeof object.log === 'string' && 'stream' in object) {
    const inner = readLine(object.log.replace(/\n$/, ''))
    return { ...inner, at: inner.at ?? at }
  }
  const text = textOf(object)
  const level = levelIsError(object.level ?? object['log.level'] ?? object.severity ?? object.levelname)
  const status = isObject(object.res) ? object.res.statusCode : undefined
  if (typeof status === 'number' && status >= 500) return whole(at, text, true)
  if (level !== undefined) return whole(at, text, level)
  const failure = object.error ?? object.err ?? object.exception
  return whole(at, text, (typeof failure === 'string' && failure !== '') || isObject(failure) || looksLikeError(text))
}

function textOf(object: JsonObject): string {
  const message = object.msg ?? object.message ?? object.event
  const parts = typeof message === 'string' ? [message] : []
  const failure = object.err ?? object.error ?? object.exception
  if (typeof failure === 'string' && failure !== '') parts.push(failure)
  if (isObject(failure)) {
    const { type, message: detail } = failure
    const said = [type, detail].filter((part) => typeof part === 'string' && part !== '').join(': ')
    if (said !== '' && detail !== message) parts.push(said)
  }
  if (isObject(object.res) && isObject(object.req)) {
    parts.push(`${object.req.method} ${object.req.url} ${object.res.statusCode}`)
  }
  return parts.join(': ').slice(0, MAX_TEXT)
}

function timeOf(object: JsonObject): number | null {
  const time = object.time ?? object['@timestamp'] ?? object.timestamp ?? object.ts
  // Seconds since 1970 stay below 1e11 until the year 5138.
  if (typeof time === 'number') return time < 1e11 ? time * 1000 : time
  const stamp = typeof time === 'string' ? TIMESTAMP.exec(time) : null
  return stamp ? zoned(stamp) : null
}

function zoned([, seconds, fraction, zone]: RegExpExecArray): number | null {
  const offset = zone === 'Z' || zone!.includes(':') ? zone : `${zone!.slice(0, 3)}:${zone!.slice(3)}`
  const at = Date.parse(`${seconds!.replace(' ', 'T')}.${(fraction ?? '').slice(0, 3).padEnd(3, '0')}${offset}`)
  return Number.isNaN(at) ? null : at
}
