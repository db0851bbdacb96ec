import { dirname } from 'node:path'
import { credentialsPath, serverUrl } from '../config.ts'
import type { Finding } from '../report/daily-check-data.ts'
import { shellWord } from '../report/unmeasured.ts'
import { finding } from './check.ts'
import { type DrillProblem, type DrillStep, drill } from './drill.ts'
import type { JobContext } from './job.ts'

const REQUESTER = 'dev_user'
const APPROVER = 'admin_user'
/** Less than the check's own deadline, so that the steps are told apart when it is over. */
const DEADLINE = 7000

/** The drill, by the two users of the first start, whose tokens lie beside the database. */
export async function checkDrill({ system, settings }: JobContext, id: string): Promise<Finding | DrillStep[]> {
  const path = credentialsPath(settings)
  let tokens: Tokens
  try {
    tokens = tokensOf(await system.readText(path, 1024 * 1024))
  } catch {
    return finding('drill.no_credentials', 'unknown', { path }, { next: `ls -l ${shellWord(dirname(path))}` })
  }
  const missing = [REQUESTER, APPROVER].find((user) => tokens[user] === undefined)
  if (missing) {
    // Whoever lacks a token cannot ask the server for one.
    const next = `npm start -- --new-token ${missing}`
    return finding('drill.no_token', 'unknown', { path, user: missing }, { next })
  }
  const target = { url: serverUrl(settings), id, timeoutMs: DEADLINE }
  return drill(system, { ...target, requesterToken: tokens[REQUESTER]!, approverToken: tokens[APPROVER]! })
}

type Tokens = Readonly<Record<string, string | undefined>>

function tokensOf(text: string): Tokens {
  const value: unknown = JSON.parse(text)
  return Object.fromEntries(Object.entries(value ?? {}).filter(([, token]) => typeof token === 'string'))
}

const ORDER: readonly DrillProblem['kind'][] = [
  'wrong',
  'bypassed',
  'not_required',
  'queue_full',
  'rate_limited',
  'unauthenticated',
  'role',
  'no_answer',
]

/**
 * The gravest of the three: an answer that is wrong says more than one that is missing.
 * @param gate a drill that is let through is as bad as the gate that did it; one that a closed gate let through is worse
 */
export function drillFinding(steps: readonly DrillStep[], gate: Finding): Finding {
  const failed = steps
    .flatMap(({ step, problem }) => (problem ? [{ step, ...problem }] : []))
    .sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind))
  const [worst] = failed
  if (!worst) {
    const millis = Object.fromEntries(steps.map(({ step, ms }) => [`${step}_millis`, Math.round(ms!)]))
    return finding('drill.passed', 'ok', millis as Record<`${DrillStep['step']}_millis`, number>)
  }
  const { step, detail, kind } = worst
  const again = { next: 'npm run daily-check' }
  switch (kind) {
    case 'bypassed':
      return finding(
        'drill.open_door',
        gate.code === 'leased' ? 'warning' : 'critical',
        { detail },
        {
          next: gate.next_command ?? again.next,
        },
      )
    case 'not_required':
      return finding('drill.not_required', 'warning', { detail }, { next: 'grep -n POLICY_PATH .env' })
    case 'queue_full':
    case 'rate_limited':
      return finding('drill.busy', 'warning', { detail }, { next: 'npx approval list' })
    case 'unauthenticated':
    case 'role':
      return finding('drill.refused', 'unknown', { detail }, { next: 'npx approval users token dev_user' })
    case 'no_answer':
      return finding('drill.no_answer', 'unknown', { step, detail }, again)
    case 'wrong':
      return finding('drill.failed', 'critical', { step, detail }, again)
  }
}
