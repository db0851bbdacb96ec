import { z } from '@hono/zod-openapi'
import { ApprovalError } from '../approval/errors.ts'
import { BrokenFileError } from '../approval/json-file.ts'
import { type Policy, parsePolicy } from '../approval/policy.ts'
import { LEVELS } from '../approval/request.ts'
import { type App, type HttpDeps, route } from './routes.ts'
import { iso } from './schemas.ts'

const level = z.enum(LEVELS)
const rule = z.object({ rule: z.string(), level, line: z.int() })
const named = { server: z.string(), tool: z.string() }
const explanation = z.object({
  ...named,
  level,
  needs_approval: z.boolean(),
  decided_by: rule.nullable().openapi({ description: 'null: no rule names it, and then it is HIGH.' }),
  also_fit: z.array(rule),
})
const cost = { before: z.number(), after: z.number() }
const forecastView = z.object({
  ...cost,
  since: z.string().openapi({ description: 'From when on calls were recorded, within the weeks asked for.' }),
  days: z.number(),
  tools: z.array(z.object({ ...named, calls: z.int(), from: level, to: level, ...cost })),
  unknown: z
    .array(z.object({ ...named, from: level, to: level }))
    .openapi({ description: 'Calls of these were not recorded, and would need approval.' }),
})

/** Files of more than this are no policy. */
const LONGEST = 262_144

/** The policy in force, and what another one would have cost. */
export function mountPolicy(app: App, { service, clock }: HttpDeps): void {
  route(
    app,
    {
      method: 'get',
      path: '/api/policy/explain',
      summary: 'Which rule of the policy decides on a tool',
      query: z.strictObject({ tool: z.string().min(1).max(256), server: z.string().max(256).optional() }),
      answers: { 200: { description: 'The rule', schema: explanation } },
    },
    async (c, { query: { tool, server = '' } }) => c.json(service.explain({ tool, server })),
  )

  route(
    app,
    {
      method: 'post',
      path: '/api/policy/forecast',
      summary: 'Approvals a day under another policy, from the calls on record. Takes the role approver',
      body: z.strictObject({ policy: z.string().max(LONGEST), weeks: z.int().min(1).max(52) }),
      answers: { 200: { description: 'The forecast', schema: forecastView } },
    },
    async (c, { body }) => {
      const { since, ...rest } = await service.forecast(c.get('actor'), read(body.policy), body.weeks, clock())
      return c.json({ since: iso(since), ...rest })
    },
  )
}

function read(text: string): Policy {
  try {
    return parsePolicy(text, 'policy')
  } catch (error) {
    if (!(error instanceof BrokenFileError)) throw error
    throw new ApprovalError('invalid', error.message, { problems: error.problems })
  }
}
