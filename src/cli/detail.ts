import type { Settings } from '../config.ts'
import { pad, printable } from '../report/printable.ts'
import { renderArguments } from './arguments.ts'
import { instant, remaining } from './format.ts'
import type { Messages } from './messages.ts'
import type { Style } from './terminal.ts'
import type { WireRequest } from './wire.ts'

/** Everything about one request, the arguments last. Pure; every text of others is made harmless. */
export function renderDetail(
  request: WireRequest,
  view: {
    now: number
    settings: Pick<Settings, 'OPS_TIMEZONE'>
    columns: number | undefined
    t: Messages
    paint: Paint
  },
): string[] {
  const { now, settings, columns, t, paint } = view
  const left = remaining(request, now, t)
  const rows: [string, string | null][] = [
    [t.field.request, request.request_id],
    [t.field.status, request.status === 'pending' ? `${t.status.pending}, ${t.left(left)}` : left],
    [t.field.level, request.level === null ? '-' : paint(levelStyle(request.level), request.level)],
    [t.field.server, printable(request.server) || null],
    [t.field.tool, paint('bold', printable(request.tool_name))],
    [t.field.requester, `${printable(request.user_id)} (${printable(request.role)})`],
    [t.field.reason, request.reason === null ? null : printable(request.reason)],
    [t.field.requested, instant(request.requested_at, settings)],
    [t.field.expires, instant(request.expires_at, settings)],
    [t.field.decided, decision(request, settings)],
    [t.field.because, request.response_reason === null ? null : printable(request.response_reason)],
    [t.field.consumed, request.consumed_at === null ? null : instant(request.consumed_at, settings)],
    [t.field.digest, request.digest ?? '-'],
  ]
  const shown = rows.filter((row): row is [string, string] => row[1] !== null)
  return [
    ...shown.map(([name, value]) => `${paint('dim', pad(name, t.fieldWidth))} ${value}`),
    paint('dim', request.redacted > 0 ? t.field.argumentsHidden : t.field.arguments),
    ...renderArguments(request.request_data, columns),
    ...(request.redacted > 0 ? [paint('yellow', t.hidden(request.redacted))] : []),
  ]
}

export type Paint = (style: Style, text: string) => string

export const levelStyle = (level: WireRequest['level']): Style =>
  level === 'CRITICAL' ? ['bold', 'red'] : level === 'HIGH' ? 'yellow' : 'reset'

function decision(request: WireRequest, settings: Pick<Settings, 'OPS_TIMEZONE'>): string | null {
  if (request.status !== 'approved' && request.status !== 'rejected') return null
  return `${printable(request.responder_id ?? '-')}, ${instant(request.responded_at, settings)}`
}
