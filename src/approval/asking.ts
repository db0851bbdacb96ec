import { assertExact, digested } from './digest.ts'
import { ApprovalError } from './errors.ts'
import { explainLevel, forecast } from './forecast.ts'
import { gateAt } from './gate.ts'
import { type Actor, assertMayAsk, assertMayDecide } from './identity.ts'
import { createLimits } from './limits.ts'
import { levelOf, needsApproval, type Policy } from './policy.ts'
import { CANARY_SERVER, type Call, type Level, type Request, statusAt } from './request.ts'
import type { ServiceDeps } from './service.ts'

export type Asked =
  | { readonly outcome: 'pending'; readonly request: Request; readonly joined: boolean }
  | { readonly outcome: 'not_required' | 'bypassed'; readonly level: Level }

export interface AskingDeps extends Pick<ServiceDeps, 'store' | 'settings' | 'policy' | 'newId'> {
  readonly rules: () => { readonly rbac: boolean }
  /** Told of what was stored, after it is durable. */
  readonly changed: (requests: readonly Request[]) => void
  /** Told of a call that passed while the gate was off. */
  readonly bypassed: () => void
}

const DAY = 86_400_000

/** Which calls need a human's yes, and asking for it. */
export function createAsking({ store, settings, policy, newId, rules, changed, bypassed }: AskingDeps) {
  const limits = createLimits(() => settings().RATE_LIMIT_ENABLED, policy)

  return {
    /**
     * Asks for approval of one call; joins the open request of the same requester and digest.
     * @param runs this is the call itself, and not only the question: it counts although nobody need be asked, and it
     *   joins an approval that was given a moment ago
     * @throws ApprovalError `role`, `rate_limited`, `queue_full`, `invalid`
     */
    async ask(
      actor: Actor,
      call: Call,
      {
        reason = null,
        timeout,
        runs = false,
      }: { reason?: string | null; timeout?: number | undefined; runs?: boolean },
      now: number,
    ): Promise<Asked> {
      // Else whoever names that server could keep any call out of the reports.
      if (call.server === CANARY_SERVER && call.tool !== CANARY_SERVER) {
        throw new ApprovalError('invalid', `the server ${CANARY_SERVER} is the drill's, whose tool has the same name`)
      }
      const level = levelOf(policy(), call)
      assertMayAsk(actor, level, rules())
      if (!needsApproval(level)) {
        // Nobody will ask for the digest; what cannot have one is refused all the same.
        assertExact(call.arguments, 1)
        if (runs) limits.count(actor, call, now)
        return { outcome: 'not_required', level }
      }
      const { request_data, digest } = digested(call)
      // Taken apart without a rest: that would copy every setting there is, for each call.
      const current = settings()
      const { APPROVAL_TIMEOUT, APPROVAL_MAX_PENDING, APPROVAL_EXECUTION_TTL } = current
      if (!gateAt(current, now).on) {
        limits.count(actor, call, now)
        const data = { server: call.server, tool: call.tool, level, digest, arguments: request_data }
        await store.append({ type: 'bypassed', request_id: null, actor: actor.user_id, at: now, data }, actor)
        bypassed()
        return { outcome: 'bypassed', level }
      }
      const expires_at = now + Math.min(timeout ?? APPROVAL_TIMEOUT, APPROVAL_TIMEOUT) * 1000
      const what = { request_id: newId(), call, digest, request_data, actor, level, reason, at: now, expires_at }
      const asked = runs ? { ...what, usableAfter: now - APPROVAL_EXECUTION_TTL * 1000 } : what
      const { request, joined } = await limits.within(actor, call, now, {
        key: `${actor.user_id} ${digest}`,
        isAsked: async () => {
          const open = await store.openCall(actor.user_id, digest)
          return open !== undefined && statusAt(open, now) === 'pending'
        },
        ask: () => store.create(asked, APPROVAL_MAX_PENDING),
      })
      if (!joined) changed([request])
      return { outcome: 'pending', request, joined }
    },

    /**
     * The level of a call, and whether it needs a human's yes, for somebody who wants to know before asking.
     * @throws ApprovalError `role`
     */
    levelFor(actor: Actor, call: Pick<Call, 'server' | 'tool'>) {
      const level = levelOf(policy(), call)
      assertMayAsk(actor, level, rules())
      return { level, gated: needsApproval(level) }
    },

    /** Which rule of the policy in force decides on a tool. */
    explain: (call: Pick<Call, 'server' | 'tool'>) => explainLevel(policy(), call),

    /**
     * What another policy would have cost, from the calls of the last weeks that are on record.
     * @throws ApprovalError `role`
     */
    async forecast(actor: Actor, next: Policy, weeks: number, now: number) {
      assertMayDecide(actor, rules())
      const from = now - weeks * 7 * DAY
      const { calls, first } = await store.recordedCalls(from)
      const begin = (await store.events(0, 1))[0]?.at ?? now
      const since = Math.max(from, Math.min(begin, first ?? now))
      // Of less than a day nothing can be said by the day: it counts as one.
      const days = Math.max(1, (now - since) / DAY)
      return { since, days, ...forecast(policy(), next, calls, days) }
    },

    /** Whether somebody may use the tool servers at all: roles of the old system that ours do not know may not. */
    assertMayUse: (actor: Actor): void => assertMayAsk(actor, 'LOW', rules()),
  }
}
