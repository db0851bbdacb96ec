import { randomUUID } from 'node:crypto'
import { type ProgressCallback, ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/client'
import type { Passing } from './connection.ts'
import type { Raw } from './raw.ts'

/** What a tool server asks of its client. */
interface Question {
  readonly method: string
  readonly params: Raw
  readonly answer: (result: Raw) => void
  readonly refuse: (error: Error) => void
}

/** A call that runs, and whose client is here only now and then. */
interface Talk {
  readonly id: string
  /** Whose call it is, and of what: nobody else may go on with it, and nothing else be called. */
  readonly key: string
  readonly stop: AbortController
  readonly questions: Map<string, Question>
  outcome: Promise<Raw> | undefined
  hasEnded: boolean
  wake: () => void
  onprogress: ProgressCallback | undefined
  timer: NodeJS.Timeout | undefined
}

/** For one round of a talk. */
interface Round {
  readonly signal: AbortSignal
  readonly onprogress?: ProgressCallback | undefined
}

/** How long a client may take to bring the answers, which its user may have to give, ms. */
const PATIENCE = 600_000

/**
 * Revision 2026-07-28, "Multi Round-Trip Requests": a server asks nothing by itself. A call of which the tool server asks
 * something is answered with the question, and goes on when the client calls again with the answer.
 */
export function createTalks() {
  const talks = new Map<string, Talk>()
  /** Asked while no call was under way: the next one brings it. */
  const early = new Map<string, Question>()
  let count = 0

  /** The answer to this round: the result, or what is asked before there is one. */
  async function turn(talk: Talk, { signal, onprogress }: Round): Promise<Raw> {
    const leave = () => forget(talk)
    clearTimeout(talk.timer)
    talk.onprogress = onprogress
    if (signal.aborted) leave()
    signal.addEventListener('abort', leave)
    try {
      const asked = new Promise<undefined>((resolve) => {
        talk.wake = () => resolve(undefined)
        if (talk.questions.size > 0) resolve(undefined)
      })
      const result = await Promise.race([talk.outcome!, asked])
      if (result) {
        forget(talk)
        return result
      }
      clearTimeout(talk.timer)
      talk.timer = setTimeout(leave, PATIENCE)
      talk.timer.unref()
      const questions = [...talk.questions].map(([id, { method, params }]) => [id, { method, params }])
      return {
        resultType: 'input_required',
        inputRequests: Object.fromEntries(questions),
        requestState: `talk ${talk.id}`,
      }
    } catch (error) {
      forget(talk)
      throw error
    } finally {
      signal.removeEventListener('abort', leave)
    }
  }

  /** The newest call brings the question. */
  function place(id: string, question: Question): void {
    const talk = [...talks.values()].findLast(({ hasEnded }) => !hasEnded)
    const questions = talk?.questions ?? early
    questions.set(id, question)
    talk?.wake()
  }

  /**
   * It has been answered, or its client is gone: what still runs is cancelled. What is asked when a call has ended was
   * asked in another; what a client that is gone was asked nobody answers.
   */
  function forget(talk: Talk): void {
    talks.delete(talk.id)
    clearTimeout(talk.timer)
    talk.stop.abort()
    for (const [id, question] of talk.questions) {
      if (talk.hasEnded) place(id, question)
      else question.refuse(new Error('the client has gone'))
    }
    talk.questions.clear()
  }

  return {
    /** How many calls are under way. */
    open: () => talks.size,

    /** What a tool server asks. Over standard streams nothing says in which call: the newest of this client brings it. */
    ask(method: string, params: Raw, { signal }: Passing): Promise<Raw> {
      return new Promise((resolve, reject) => {
        const id = `question-${++count}`
        place(id, { method, params, answer: resolve, refuse: reject })
        signal.addEventListener('abort', () => {
          early.delete(id)
          for (const { questions } of talks.values()) questions.delete(id)
          reject(new Error('the question was withdrawn'))
        })
      })
    },

    /** A call that begins. `run` makes it and gives its answer to the first round. */
    begin(key: string) {
      const stop = new AbortController()
      const id = randomUUID()
      const talk: Talk = {
        ...{ id, key, stop, questions: new Map<string, Question>(), outcome: undefined, timer: undefined },
        ...{ hasEnded: false, wake: () => undefined, onprogress: undefined },
      }
      return {
        passing: { signal: stop.signal, onprogress: (progress) => talk.onprogress?.(progress) } satisfies Passing,
        run(call: () => Promise<Raw>, round: Round): Promise<Raw> {
          for (const [id, question] of early) talk.questions.set(id, question)
          early.clear()
          talks.set(id, talk)
          talk.outcome = call().finally(() => {
            talk.hasEnded = true
          })
          // Whoever is away when it fails hears of it on coming back.
          talk.outcome.catch(() => undefined)
          return turn(talk, round)
        },
      }
    },

    /** @throws ProtocolError when there is no such call of this client under way */
    goOn(id: string, key: string, answers: Raw, round: Round): Promise<Raw> {
      const talk = talks.get(id)
      if (talk?.key !== key) {
        const sentence =
          'no such call of yours is under way: it has ended, or was cancelled when nobody came back for it, and whether ' +
          'it took effect is not known'
        throw new ProtocolError(ProtocolErrorCode.InvalidParams, sentence)
      }
      for (const [id, { answer }] of talk.questions) {
        if (!(id in answers)) continue
        talk.questions.delete(id)
        answer(answers[id] as Raw)
      }
      return turn(talk, round)
    },

    close(): void {
      for (const talk of talks.values()) forget(talk)
    },
  }
}

export type Talks = ReturnType<typeof createTalks>
