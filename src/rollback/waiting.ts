import { en } from '../report/catalogue/rollback-disable.en.ts'
import { ko } from '../report/catalogue/rollback-disable.ko.ts'
import type { Text } from './plan.ts'
import type { Observed } from './runtime.ts'
import type { RollbackContext } from './scenario.ts'
import { bilingual } from './words.ts'

const disableText = bilingual(ko, en)

const MOST = 5
const ASK_MS = 1_500

interface Waiting {
  readonly short_id: string
  readonly tool_name: string
  readonly level: string | null
  readonly user_id: string
}

/** What waits for a decision now: it goes on waiting while the gate is off. */
export async function waitingNotes(context: RollbackContext, { health, url }: Observed): Promise<readonly Text[]> {
  if (!health) return []
  if (health.open === 0) return [disableText('nothing_waits')]
  const first = url === undefined ? [] : await waiting(context, url)
  const names = first.map(
    ({ short_id, tool_name, level, user_id }) => `${short_id} ${tool_name} (${level}, ${user_id})`,
  )
  return [disableText('waits', { n: health.open ?? '?', which: names.length > 0 ? `: ${names.join('; ')}` : '' })]
}

async function waiting({ system, token }: RollbackContext, url: string): Promise<readonly Waiting[]> {
  const bearer = await token()
  if (bearer === undefined) return []
  const headers = { Authorization: `Bearer ${bearer}` }
  const answer = await system.http({ url: `${url}/api/approvals/pending?limit=${MOST}`, headers, timeoutMs: ASK_MS })
  if (!answer.answered || answer.status !== 200) return []
  return (JSON.parse(answer.text) as { pending_approvals: readonly Waiting[] }).pending_approvals
}
