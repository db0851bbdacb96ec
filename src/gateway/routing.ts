import { ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/client'
import { AjvJsonSchemaValidator } from '@modelcontextprotocol/client/validators/ajv'
import { ApprovalError } from '../approval/errors.ts'
import type { Call } from '../approval/request.ts'
import { type Offer, offersOf } from './catalogue.ts'
import type { Passing } from './connection.ts'
import { spent, type Target } from './gate.ts'
import { isObject, type Raw } from './raw.ts'
import { inTemplate } from './templates.ts'
import type { Upstream } from './upstream.ts'
import type { ListName } from './upstream-lists.ts'

/** Which upstream has what, by the lists it sent last. Looked up anew for every call. */
export function createRouting(upstreams: () => readonly Upstream[]) {
  /** Built once for each state of the lists: a list that changed is another object. */
  const built = new Map<'tools' | 'prompts', { from: readonly unknown[]; offers: ReadonlyMap<string, Offer> }>()
  const validators = new WeakMap<Raw, (args: unknown) => string | undefined>()

  function offers(list: 'tools' | 'prompts'): ReadonlyMap<string, Offer> {
    const from = upstreams().map((upstream) => upstream.lists()[list])
    const last = built.get(list)
    if (last?.from.length === from.length && from.every((items, n) => items === last.from[n])) return last.offers
    const named = upstreams().map(({ name, lists }) => ({ server: name, items: lists()[list] }))
    const fresh = offersOf(named)
    built.set(list, { from, offers: fresh })
    return fresh
  }

  const byName = (server: string): Upstream => upstreams().find(({ name }) => name === server)!

  /** The only place where a name becomes a tool: exactly this name, or nothing. */
  function tool(name: string): Offer {
    const found = offers('tools').get(name)
    if (found) return found
    const same = [...offers('tools').values()].filter((offer) => offer.name === name)
    const where = same.length > 0 ? `: it is offered as ${same.map((o) => o.exposed).join(', ')}` : ''
    const down = upstreams().filter((upstream) => upstream.facts().status !== 'up')
    const more = down.length > 0 ? ` (not available now: ${down.map((upstream) => upstream.name).join(', ')})` : ''
    throw new ApprovalError('not_found', `no tool is named ${JSON.stringify(name.slice(0, 128))}${where}${more}`)
  }

  function assertArguments({ item, exposed }: Offer, args: Raw): void {
    const schema = item.inputSchema
    if (!isObject(schema)) return
    const validator = validators.get(schema) ?? validatorOf(schema)
    validators.set(schema, validator)
    const problem = validator(args)
    if (problem) throw new ApprovalError('invalid', `arguments of ${exposed}: ${problem}`)
  }

  /**
   * @param raw what the caller sent beside the arguments; a tool that needed approval gets none of it
   * @param always what every call of the tool needs
   */
  function target(offer: Offer, args: Call['arguments'], passing: Passing, raw: Raw, always: Raw = {}): Target {
    const upstream = byName(offer.server)
    return {
      call: { server: offer.server, tool: offer.name, arguments: args },
      assertUp: upstream.assertUp,
      assertArguments: () => assertArguments(offer, args),
      async run(given, approved) {
        const params = { ...(approved ? {} : raw), ...always, name: offer.name, arguments: given }
        try {
          return await upstream.request('tools/call', params, passing)
        } catch (error) {
          if (passing.signal.aborted) throw error
          const failure = unknownEnd(error, offer)
          throw approved ? spent(failure, approved) : failure
        }
      },
    }
  }

  /** Who has the resource: whose list names it, else whose template fits, else whoever has resources at all. */
  function resourceOwners(uri: string): readonly Upstream[] {
    const has = (list: ListName, fits: (item: Raw) => boolean) =>
      upstreams().filter((upstream) => upstream.lists()[list].some(fits))
    const listed = has('resources', (item) => item.uri === uri)
    if (listed.length > 0) return listed.slice(0, 1)
    const fitting = has('resourceTemplates', ({ uriTemplate }) => uriTemplate === uri || inTemplate(uri, uriTemplate))
    return fitting.length > 0 ? fitting : upstreams().filter((upstream) => upstream.has('resources'))
  }

  return { offers, tool, target, byName, resourceOwners }
}

export type Routing = ReturnType<typeof createRouting>

/** An error of the tool server's own, or of ours, says what it is; any other came while it worked. */
function unknownEnd(error: unknown, { server }: Offer): unknown {
  if (error instanceof ProtocolError || error instanceof ApprovalError) return error
  const sentence = `${server} failed in the middle of the call; whether it took effect is not known`
  return new ApprovalError('upstream_error', sentence, { server }, { cause: error })
}

/** Answers what is wrong. A schema that cannot be read checks nothing: the tool itself will. */
function validatorOf(schema: Raw): (args: unknown) => string | undefined {
  try {
    const validate = new AjvJsonSchemaValidator().getValidator(schema)
    return (args) => {
      const checked = validate(args)
      return checked.valid ? undefined : checked.errorMessage
    }
  } catch {
    return () => undefined
  }
}

export function assertParam(params: Raw, key: string): string {
  const value = params[key]
  if (typeof value === 'string') return value
  throw new ProtocolError(ProtocolErrorCode.InvalidParams, `params.${key} must be a text`)
}

/** The arguments of a call: an object, or none. */
export function argumentsOf(params: Raw): Call['arguments'] {
  const args = params.arguments ?? {}
  if (isObject(args)) return args
  throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'params.arguments must be an object')
}
