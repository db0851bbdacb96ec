import { STATUSES } from '../approval/request.ts'

/** An answer before it is believed. */
type Answer = Readonly<Record<string, unknown>>
/**
 * Tells an answer of ours from the JSON of whatever else may listen there: `{}` with status 200 must not pass for a
 * call that needs no approval.
 */
export type IsOurs = (answer: Answer, header: (name: string) => string | undefined) => boolean

const strings = (answer: Answer, ...keys: string[]): boolean => keys.every((key) => typeof answer[key] === 'string')

export const isRequest = (answer: Answer): boolean =>
  strings(answer, 'request_id', 'short_id', 'tool_name', 'request_data') && STATUSES.some((s) => s === answer.status)

export const isAsked: IsOurs = (answer) =>
  isRequest(answer) || (strings(answer, 'level') && ['not_required', 'bypassed'].includes(answer.status as string))

/** A tool's result may be anything, `{}` too: what ran it is told by the header alone. */
export const isCalled: IsOurs = (answer, header) => isRequest(answer) || header('x-approval-level') !== undefined

/** A list of rows under this name. */
export const hasRows =
  (key: string): IsOurs =>
  (answer) =>
    Array.isArray(answer[key])

export const hasStrings =
  (...keys: string[]): IsOurs =>
  (answer) =>
    strings(answer, ...keys)

export const isAudit: IsOurs = ({ ok, problems, archives }) =>
  typeof ok === 'boolean' && Array.isArray(problems) && typeof archives === 'object' && archives !== null
