import { EXIT, type ExitCode } from '../exit-codes.ts'
import { displayWidth, pad, printable, truncate } from '../report/printable.ts'
import type { Context } from './command.ts'
import { Failure } from './failure.ts'
import { startFeed } from './feed.ts'
import { remaining, shortIds, summary } from './format.ts'
import { Prompts } from './prompts.ts'
import { type Happening, reviewRequest } from './review.ts'
import type { WireRequest } from './wire.ts'

/** What clack puts around a line, counted as it counts: with the colour codes. */
const FRAME = 18
const QUIT = ' quit'
const REFRESH = ' refresh'

/** The interactive desk: choose a request, read the whole of it, decide. */
export async function runDesk(context: Context): Promise<ExitCode> {
  const { terminal, t, self, signal, client } = context
  if (!terminal.canDraw) throw new Failure(EXIT.USAGE, t.notATerminal, `${self} list`)
  // Fails here, before anything is drawn, when the server is away or does not know us.
  await client.pending(1, signal)
  const prompts = new Prompts<Happening>(terminal, terminal.stdout, signal)
  const feed = startFeed(context, (happening) => prompts.interrupt(happening))
  try {
    for (;;) {
      const chosen = await choose(context, prompts, feed)
      if (chosen === QUIT) return EXIT.OK
      let id = chosen === REFRESH ? undefined : chosen
      while (id !== undefined) {
        const after = await reviewRequest(context, prompts, id)
        if (after === 'quit') return EXIT.OK
        id = after === 'next' ? nextOf(feed.list.sorted(), id) : undefined
      }
    }
  } finally {
    feed.stop()
    prompts.close()
    terminal.restore()
  }
}

const nextOf = (requests: readonly WireRequest[], id: string): string | undefined => {
  const i = requests.findIndex((request) => request.request_id === id)
  return requests[i + 1]?.request_id
}

type Feed = ReturnType<typeof startFeed>

/** The list stays as it is under the finger: what comes meanwhile is announced, what goes is marked. */
async function choose(context: Context, prompts: Prompts<Happening>, feed: Feed): Promise<string> {
  const { t } = context
  feed.throwIfFailed()
  await feed.refresh()
  const requests = feed.list.sorted()
  const notice = () => {
    if (feed.lost()) return `  ${t.desk.lost}`
    return feed.news() > 0 ? `  ${t.desk.news(feed.news())}` : ''
  }
  if (requests.length === 0) {
    const keys = [{ value: 'q' as const, label: t.desk.quit }]
    const answer = await prompts.key(() => `${t.desk.empty}${notice()}`, keys)
    return answer.kind === 'quit' || answer.kind === 'back' || (answer.kind === 'answer' && answer.value === 'q')
      ? QUIT
      : REFRESH
  }
  const rows = renderRows(context, requests, feed)
  const options = [...rows, { value: REFRESH, label: () => t.desk.refresh }, { value: QUIT, label: () => t.desk.quit }]
  const keys = { l: 'refresh', q: 'quit' } as const
  const answer = await prompts.choose(() => `${t.desk.choose(requests.length)}${notice()}`, options, keys)
  if (answer.kind === 'answer') return answer.value
  // A feed that failed is met again, and thrown, before the list is shown next.
  return answer.kind === 'again' || (answer.kind === 'event' && answer.why !== 'quit') ? REFRESH : QUIT
}

/** One line per request, its remaining time live. */
function renderRows({ client, t, terminal }: Context, requests: readonly WireRequest[], feed: Feed) {
  const ids = shortIds(requests.map((request) => request.request_id))
  const columns = (texts: readonly string[], limit: number) => {
    const cut = texts.map((text) => truncate(printable(text), limit))
    const width = Math.max(...cut.map(displayWidth))
    return cut.map((text) => pad(text, width))
  }
  const tools = columns(
    requests.map((request) => request.tool_name),
    20,
  )
  const users = columns(
    requests.map((request) => request.user_id),
    12,
  )
  return requests.map((request, i) => {
    const id = request.request_id
    const head = `${ids.get(id)} ${pad(request.level ?? '-', 8)} ${tools[i]} ${users[i]} `
    const label = () => {
      const left = pad(feed.list.has(id) ? remaining(request, client.now(), t) : t.desk.gone, 5, 'right')
      const room = (terminal.columns() ?? 80) - displayWidth(head + left) - FRAME
      return `${head}${left}  ${room > 8 ? summary(request.request_data, room) : ''}`
    }
    return { value: id, label }
  })
}
