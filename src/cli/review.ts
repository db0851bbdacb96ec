import type { Decision } from '../approval/request.ts'
import { printable } from '../report/printable.ts'
import type { Context } from './command.ts'
import { renderDetail } from './detail.ts'
import { sentenceOf } from './explain.ts'
import { ServerError, Unreachable } from './failure.ts'
import type { FeedHappening } from './feed.ts'
import { clock, secondsLeft } from './format.ts'
import { outcomeText } from './outcome.ts'
import type { Answer, Prompts } from './prompts.ts'
import { waitForDecision } from './wait.ts'
import type { WireRequest } from './wire.ts'

/** What can end a question of the desk: a key, the feed, or the request's own end. */
export type Happening = FeedHappening | 'quit' | { readonly ended: WireRequest }

export type After = 'list' | 'next' | 'quit'

/** Shows one request, whole, and takes the decision on it. Ends by itself when someone else decides or it expires. */
export async function reviewRequest(context: Context, prompts: Prompts<Happening>, id: string): Promise<After> {
  const { client, signal } = context
  let request: WireRequest
  try {
    request = await client.get(id, signal)
  } catch (error) {
    return report(context, error)
  }
  if (request.status !== 'pending') return meanwhile(context, request)
  const done = new AbortController()
  let ended: WireRequest | undefined
  waitForDecision(client, request, AbortSignal.any([signal, done.signal])).then(
    (final) => {
      if (done.signal.aborted || final.status === 'pending') return
      ended = final
      prompts.interrupt({ ended: final })
    },
    // The decision itself will meet the same error, and say it.
    () => undefined,
  )
  try {
    draw(context, request)
    for (;;) {
      if (ended) return meanwhile(context, ended)
      const after = await ask(context, prompts, request, () => done.abort())
      if (after === 'reveal') {
        request = await client.reveal(id, signal)
        draw(context, request)
      } else if (after !== undefined) return after
    }
  } finally {
    done.abort()
  }
}

function draw({ terminal, client, settings, t }: Context, request: WireRequest): void {
  const view = { now: client.now(), settings, columns: terminal.columns(), t, paint: terminal.paint.bind(terminal) }
  const lines = renderDetail(request, view)
  terminal.out(`\n${lines.join('\n')}`)
  if (lines.length > terminal.rows - 8) terminal.out(terminal.paint('yellow', t.desk.long(lines.length)))
}

/** One question, and a second for the reason. @returns undefined to ask again */
async function ask(
  context: Context,
  prompts: Prompts<Happening>,
  request: WireRequest,
  stopWaiting: () => void,
): Promise<After | 'reveal' | undefined> {
  const { t, client } = context
  const message = () => t.desk.decideOn(request.short_id, clock(secondsLeft(request, client.now())))
  const answer = await prompts.key(message, [
    { value: 'a', label: t.desk.approve },
    { value: 'r', label: t.desk.reject },
    { value: 's', label: t.desk.skip },
    ...(request.redacted > 0 ? [{ value: 'v', label: t.desk.reveal } as const] : []),
    { value: 'l', label: t.desk.list },
    { value: 'q', label: t.desk.quit },
  ])
  if (answer.kind !== 'answer') return unanswered(context, request, answer)
  if (answer.value === 's') return 'next'
  if (answer.value === 'v') return 'reveal'
  if (answer.value === 'l') return 'list'
  if (answer.value === 'q') return 'quit'
  if (answer.value === undefined) return undefined
  const decision: Decision = answer.value === 'a' ? 'approved' : 'rejected'
  const verb = decision === 'approved' ? t.desk.approve : t.desk.reject
  const reason = await prompts.reason(t.desk.why(verb, request.short_id), t)
  if (reason.kind === 'back') return undefined
  if (reason.kind !== 'answer') return unanswered(context, request, reason)
  // From here on the end of the request is our own doing.
  stopWaiting()
  return decide(context, request, decision, reason.value.trim())
}

async function decide(context: Context, request: WireRequest, decision: Decision, reason: string): Promise<After> {
  const { terminal, t, client } = context
  try {
    const decided = await client.decide(request.request_id, decision, reason)
    const style = decision === 'approved' ? 'green' : 'red'
    const line = t.decide.done(decided.short_id, t.status[decided.status], printable(decided.tool_name))
    terminal.out(terminal.paint(style, line))
    return 'list'
  } catch (error) {
    return report(context, error)
  }
}

function unanswered(
  context: Context,
  request: WireRequest,
  answer: Exclude<Answer<unknown, Happening>, { kind: 'answer' }>,
): After | undefined {
  if (answer.kind === 'quit') return 'quit'
  if (answer.kind === 'back') return 'list'
  if (answer.kind === 'again') {
    draw(context, request)
    return undefined
  }
  if (typeof answer.why === 'object' && 'ended' in answer.why) return meanwhile(context, answer.why.ended)
  return answer.why === 'quit' ? 'quit' : answer.why === 'refresh' ? undefined : 'list'
}

/** Someone was first, or nobody was in time. */
function meanwhile({ terminal, t }: Context, request: WireRequest): After {
  terminal.out(terminal.paint('yellow', t.desk.meanwhile(request.short_id, outcomeText({ t }, request))))
  return 'list'
}

/** The desk goes on after an error that concerns one request or passes by itself. */
function report({ terminal, t, settings }: Context, error: unknown): After {
  if (!(error instanceof ServerError || error instanceof Unreachable)) throw error
  terminal.out(terminal.paint('red', sentenceOf(error, t, settings)))
  return 'list'
}
