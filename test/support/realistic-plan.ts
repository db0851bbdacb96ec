import type { Dice } from './dice.ts'
import {
  APPROVERS,
  ON_CALL,
  REQUESTERS,
  RUBBER_STAMP,
  requestsIn,
  TOOLS,
  unansweredPercent,
  weighted,
} from './realistic-team.ts'

const SECOND = 1000
const HOUR = 3_600_000
const SEOUL = 9 * HOUR
const TIMEOUT = 300 * SECOND

/** Something that happens at an instant. */
export interface Step {
  readonly at: number
  run(now: number): Promise<unknown>
}

type Call = { readonly server: string; readonly tool: string; readonly arguments: Record<string, unknown> }

/** What people and agents do at the desk. */
export interface Desk {
  /** The id of the request; undefined when nobody has to approve it. */
  ask(who: string, call: Call, at: number): Promise<string | undefined>
  see(what: 'notified' | 'listed' | 'left', id: string, who: string, at: number): void
  open(who: string, id: string, at: number): Promise<unknown>
  decide(who: string, id: string, decision: 'approved' | 'rejected', at: number): Promise<unknown>
  consume(who: string, id: string, at: number): Promise<unknown>
  cancel(who: string, id: string, at: number): Promise<unknown>
  sweep(at: number): Promise<unknown>
}

/** Everything that people and agents do from `from` until `until`, in no order. */
export function plan(chance: Dice, from: number, until: number, desk: Desk): Step[] {
  const steps: Step[] = []
  let n = 0
  for (let begin = Math.ceil(from / HOUR) * HOUR; begin < until; begin += HOUR) {
    const wall = new Date(begin + SEOUL)
    const [day, hour] = [wall.getUTCDay(), wall.getUTCHours()]
    for (let left = requestsIn(day, hour, chance); left > 0; left--) {
      steps.push(...oneRequest(chance, begin + chance.between(0, HOUR - 1), day, hour, ++n, desk))
    }
  }
  return steps
}

/** One request's life: who asks for what, who sees it, and how it ends. */
function oneRequest(chance: Dice, asked: number, day: number, hour: number, n: number, desk: Desk): Step[] {
  const who = hour < 8 && chance.oneIn(2) ? 'ci-nightly' : chance.pick(REQUESTERS)
  const { tool, server, rejected, arguments: argumentsOf } = weighted(TOOLS, chance)
  let id: string | undefined
  const steps: Step[] = [
    {
      at: asked,
      run: async (now) => {
        id = await desk.ask(who, { server, tool, arguments: argumentsOf(n) }, now)
      },
    },
  ]
  const then = (after: number, run: (id: string, now: number) => unknown) =>
    steps.push({ at: asked + Math.floor(after), run: async (now) => id && run(id, now) })
  const isNight = hour >= 21 || hour < 8
  const there = isNight ? APPROVERS.filter((one) => one.id === ON_CALL) : APPROVERS
  const tell = () => {
    for (const one of there)
      if (!chance.oneIn(3)) then(chance.between(90, 400), (at, now) => desk.see('notified', at, one.id, now))
  }
  then(chance.between(20, 60), (at, now) => desk.open(who, at, now))
  const expires = () => then(TIMEOUT + chance.between(20, 900), (_, now) => desk.sweep(now))

  if (chance.oneIn(40)) {
    tell()
    then(chance.between(8, 200) * SECOND, (at, now) => desk.cancel(who, at, now))
    return steps
  }
  const by = weighted(there, chance)
  const takes = Math.max(0.7, chance.logNormal(by.median, by.spread)) * SECOND
  const isUnanswered = chance.roll() * 100 < unansweredPercent(day, hour)
  if (!isUnanswered && takes < TIMEOUT - 2 * SECOND) {
    tell()
    const decision = by.id !== RUBBER_STAMP && chance.roll() * 100 < rejected ? 'rejected' : 'approved'
    then(takes * 0.6, (at, now) => desk.open(by.id, at, now))
    then(takes, (at, now) => desk.decide(by.id, at, decision, now))
    const isUsed = decision === 'approved' && !chance.oneIn(25)
    if (isUsed) then(takes + chance.between(100, 4000), (at, now) => desk.consume(who, at, now))
    return steps
  }
  expires()
  // At night mostly nobody is told; by day somebody looked, or the caller had gone, or the answer came too late.
  if (isNight && !chance.oneIn(3)) return steps
  tell()
  if (chance.oneIn(6)) then(chance.between(30, 200) * SECOND, (at, now) => desk.see('left', at, who, now))
  if (!isUnanswered || chance.oneIn(3)) then(chance.between(60, 290) * SECOND, (at, now) => desk.open(by.id, at, now))
  if (!isUnanswered || chance.oneIn(5)) {
    then(TIMEOUT + chance.between(2, 180) * SECOND, (at, now) => desk.decide(by.id, at, 'approved', now))
  }
  return steps
}
