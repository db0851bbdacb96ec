import { Agent } from 'node:http'
import { performance } from 'node:perf_hooks'
import { bare, type Child, cpuSeconds, median, ours } from './children.ts'
import { call, type Load, load, percentile } from './load.ts'

export interface Row {
  readonly what: string
  readonly ours: string
  readonly limit: string
  readonly ratio: string
}

const ROUNDS = 3
const AMOUNT = { 1: 600, 10: 3000, 50: 6000 } as const
type Callers = keyof typeof AMOUNT

const perSecond = (n: number) => `${Math.round(n)} /s`
const ms = (n: number) => `${n.toFixed(2)} ms`

let serial = 0
const question = () => ({
  path: '/api/approvals',
  body: JSON.stringify({ tool_name: 'execute_python', arguments: { code: `print(${serial++})` } }),
})

async function create(server: Child, callers: Callers): Promise<Load> {
  return load(server.url, callers, AMOUNT[callers], { authorization: `Bearer ${server.tokens.dev_user}` }, question)
}

async function decide(server: Child, callers: Callers): Promise<Load> {
  const headers = { authorization: `Bearer ${server.tokens.admin_user}` }
  const ids: string[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const more: string = cursor ? `&cursor=${cursor}` : ''
    const answer = await fetch(`${server.url}/api/approvals?status=pending&limit=1000${more}`, { headers })
    const page = (await answer.json()) as { approvals: { request_id: string }[]; next_cursor: string | null }
    ids.push(...page.approvals.map((request) => request.request_id))
    cursor = page.next_cursor
  }
  const body = JSON.stringify({ reason: 'bench' })
  return load(server.url, callers, ids.length, headers, (n) => ({ path: `/api/approvals/${ids[n]}/approve`, body }))
}

/** Durable create and decide, beside a bare server doing one durable insert, and one doing nothing, in the same run. */
export async function throughput(): Promise<Row[]> {
  const rows: Row[] = []
  for (const callers of [1, 10, 50] as const) {
    const results: Record<'create' | 'decide' | 'insert' | 'none', number[]> = {
      create: [],
      decide: [],
      insert: [],
      none: [],
    }
    let bad = 0
    const [desk, insert, none] = await Promise.all([ours(), bare('insert'), bare('none')])
    for (let round = 0; round < ROUNDS; round++) {
      const created = await create(desk, callers)
      const inserted = await create(insert, callers)
      const decided = await decide(desk, callers)
      const nothing = await create(none, callers)
      bad += created.bad + decided.bad
      results.create.push(created.perSecond)
      results.decide.push(decided.perSecond)
      results.insert.push(inserted.perSecond)
      results.none.push(nothing.perSecond)
    }
    await Promise.all([desk.stop(), insert.stop(), none.stop()])
    if (bad > 0) throw new Error(`${bad} answers were not 2xx`)
    const [limit, ceiling] = [median(results.insert), median(results.none)]
    for (const what of ['create', 'decide'] as const) {
      const rate = median(results[what])
      rows.push({
        what: `${what}, ${callers} ${callers === 1 ? 'caller' : 'callers'}`,
        ours: perSecond(rate),
        limit: `${perSecond(limit)} bare insert, ${perSecond(ceiling)} bare`,
        ratio: `${(rate / limit).toFixed(2)} of insert, ${(rate / ceiling).toFixed(2)} of bare`,
      })
    }
  }
  return rows
}

/** From sending a decision to the waiting caller having its answer, beside the bare answer to the same POST. */
export async function release(): Promise<Row[]> {
  const [desk, none] = await Promise.all([ours(), bare('none')])
  const agent = new Agent({ keepAlive: true })
  const times: number[] = []
  const floor: number[] = []
  const dev = { authorization: `Bearer ${desk.tokens.dev_user}` }
  const admin = { authorization: `Bearer ${desk.tokens.admin_user}` }
  for (let n = 0; n < 500; n++) {
    const { request_id } = JSON.parse((await call(agent, desk.url, dev, question())).text) as { request_id: string }
    const waiting = call(agent, desk.url, dev, { path: `/api/approvals/${request_id}?wait=30` })
    await new Promise((resolve) => setTimeout(resolve, 5))
    const decision = { path: `/api/approvals/${request_id}/approve`, body: '{"reason":"bench"}' }
    const start = performance.now()
    const decided = call(agent, desk.url, admin, decision)
    await waiting
    times.push(performance.now() - start)
    await decided
    const bareStart = performance.now()
    await call(agent, none.url, {}, question())
    floor.push(performance.now() - bareStart)
  }
  agent.destroy()
  await Promise.all([desk.stop(), none.stop()])
  const sorted = (values: number[]) => values.sort((a, b) => a - b)
  const at = (p: number) => ({ ours: percentile(sorted(times), p), limit: percentile(sorted(floor), p) })
  return [50, 95].map((p) => {
    const { ours, limit } = at(p)
    return {
      what: `decision to release, p${p}`,
      ours: ms(ours),
      limit: `${ms(limit)} bare POST`,
      ratio: `${(ours / limit).toFixed(1)} x`,
    }
  })
}

/** What it costs to keep 1,000 callers waiting, in CPU of the server, beside an idle one. */
export async function waiting(): Promise<Row[]> {
  const seconds = 10
  const [desk, idle] = await Promise.all([ours({ APPROVAL_HOLD: '300' }), ours()])
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${desk.tokens.dev_user}` }
  const leave = new AbortController()
  const held: Promise<unknown>[] = []
  for (let n = 0; n < 1000; n++) {
    const { path, body } = question()
    const asked = (await (await fetch(desk.url + path, { method: 'POST', headers, body })).json()) as {
      request_id: string
    }
    held.push(
      fetch(`${desk.url}/api/approvals/${asked.request_id}?wait=300`, { headers, signal: leave.signal }).catch(() => 0),
    )
  }
  const callers = async () =>
    /approval_waiting_callers (\d+)/.exec(await (await fetch(`${desk.url}/metrics`)).text())?.[1]
  while ((await callers()) !== '1000') await new Promise((resolve) => setTimeout(resolve, 200))
  const before = [cpuSeconds(desk.pid), cpuSeconds(idle.pid)] as const
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
  const used = [cpuSeconds(desk.pid) - before[0], cpuSeconds(idle.pid) - before[1]] as const
  leave.abort()
  await Promise.all(held)
  await Promise.all([desk.stop(), idle.stop()])
  const percent = (s: number) => `${((100 * s) / seconds).toFixed(1)} % CPU`
  return [
    {
      what: '1,000 waiting callers',
      ours: percent(used[0]),
      limit: `${percent(used[1])} idle`,
      ratio: `${(((used[0] - used[1]) / seconds) * 100).toFixed(1)} points`,
    },
  ]
}
