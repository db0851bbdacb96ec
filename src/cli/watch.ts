import { EXIT, type ExitCode } from '../exit-codes.ts'
import { printable, truncate } from '../report/printable.ts'
import { type Command, type Context, type Input, on } from './command.ts'
import { follow } from './events.ts'
import { reasonOf } from './explain.ts'
import { clock, secondsLeft, summary, timeOfDay } from './format.ts'
import { Keyboard } from './keyboard.ts'
import { renderRequests } from './list.ts'
import { WaitingList } from './waiting-list.ts'
import type { WireEvent, WireRequest } from './wire.ts'

export const watch: Command = {
  name: 'watch',
  usage: '',
  options: { json: { type: 'boolean' } },
  words: [0, 0],
  defaultUser: 'admin_user',
  examples: ['watch', 'watch --json | jq .type', 'watch >> desk.log'],
  exits: { 0: 'done' },
  run: (context, input) =>
    context.terminal.canDraw && !on(input, 'json') ? onScreen(context) : inLines(context, input),
}

/** How long a new CRITICAL stays marked. */
const MARKED_MS = 10_000

async function onScreen(context: Context): Promise<ExitCode> {
  const { terminal, client } = context
  const list = new WaitingList()
  const marked = new Map<string, number>()
  const quit = new AbortController()
  const signal = AbortSignal.any([context.signal, quit.signal])
  let lost: string | undefined
  const arrived = (added: readonly WireRequest[]) => {
    for (const { request_id, level } of added) {
      if (level !== 'CRITICAL') continue
      marked.set(request_id, performance.now() + MARKED_MS)
      terminal.bell()
    }
  }
  const draw = () => {
    if (!signal.aborted) terminal.drawScreen(screenLines(context, list.sorted(), marked, lost))
  }
  const keyboard = new Keyboard(terminal, {
    end: () => quit.abort(),
    resume: draw,
    key: (key) => {
      if (key === 'q' || key === 'Q') quit.abort()
    },
  })
  const timer = setInterval(draw, 1000)
  terminal.stdout.on('resize', draw)
  try {
    for await (const item of follow(client, signal)) {
      if (item.kind === 'open') {
        terminal.enterScreen()
        arrived(list.replace((await client.pending(1000, signal)).pending_approvals))
        lost = undefined
      } else if (item.kind === 'lost') lost = reasonOf(item.error)
      else {
        const added = list.apply(item.event)
        if (added) arrived([added])
      }
      draw()
    }
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    clearInterval(timer)
    terminal.stdout.off('resize', draw)
    keyboard.close()
    terminal.restore()
  }
  return EXIT.OK
}

/** One screen: never more rows or columns than the terminal has. */
function screenLines(
  { terminal, t, client }: Context,
  requests: readonly WireRequest[],
  marked: Map<string, number>,
  lost: string | undefined,
): string[] {
  const columns = terminal.columns() ?? 80
  const room = Math.max(1, terminal.rows - 4)
  const paint = terminal.paint.bind(terminal)
  const shown = requests.slice(0, requests.length > room ? room - 1 : room)
  const title = truncate(t.watch.title(requests.length, client.url), columns - 1)
  const table =
    shown.length === 0 ? [t.list.none] : renderRequests(shown, { now: client.now(), columns, t, paint }).split('\n')
  const body = table.map((line, i) => {
    const until = marked.get(shown[i - 1]?.request_id ?? '')
    return until !== undefined && until > performance.now() ? paint('inverse', line) : line
  })
  const rest = requests.length > shown.length ? [t.watch.more(requests.length - shown.length)] : []
  const foot = lost === undefined ? t.watch.keys : paint('red', truncate(t.watch.lost(lost), columns - 1))
  return [paint('bold', title), ...body, ...rest, foot]
}

async function inLines({ terminal, client, t, settings, signal }: Context, input: Input): Promise<ExitCode> {
  const asJson = on(input, 'json')
  let lost = false
  try {
    for await (const item of follow(client, signal)) {
      if (item.kind === 'lost') {
        lost = true
        terminal.err(t.watch.lost(reasonOf(item.error)))
      } else if (item.kind === 'event') {
        terminal.out(asJson ? JSON.stringify(item.event) : eventLine(item.event))
      } else if (lost) {
        lost = false
        terminal.err(t.watch.found)
      } else if (!asJson) {
        const { pending_approvals } = await client.pending(1000, signal)
        for (const request of pending_approvals)
          terminal.out(requestLine(t.status.pending, request, request.requested_at))
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
  return EXIT.OK

  function eventLine({ at, type, actor, request }: WireEvent): string {
    if (request) return requestLine(`${t.watch.event(type)} (${printable(actor)})`, request, at)
    return `${timeOfDay(at, settings.OPS_TIMEZONE)}  ${t.watch.event(printable(type))} (${printable(actor)})`
  }

  function requestLine(what: string, request: WireRequest, at: string | null): string {
    const seconds = secondsLeft(request, client.now())
    return [
      at === null ? '-' : timeOfDay(at, settings.OPS_TIMEZONE),
      ...[what, request.short_id, request.level ?? '-', printable(request.tool_name), printable(request.user_id)],
      ...(seconds > 0 ? [t.left(clock(seconds))] : []),
      ...(request.response_reason ? [printable(request.response_reason)] : []),
      ...(request.status === 'pending' ? [summary(request.request_data, 60)] : []),
    ].join('  ')
  }
}
