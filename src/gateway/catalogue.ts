import type { Raw } from './raw.ts'

/** Something of an upstream under the name that callers know it by. */
export interface Offer {
  readonly exposed: string
  readonly server: string
  /** The upstream's own name for it. */
  readonly name: string
  readonly item: Raw
}

export interface Named {
  readonly server: string
  readonly items: readonly Raw[]
}

/** Names longer than this, or with control or format characters, could not be shown to whoever approves. */
const NAME = /^[^\p{C}]{1,128}$/u

const prefixed = ({ server, name }: Offer): string => `${server}__${name}`

/**
 * What is offered under which name: unchanged where one upstream alone has it, `server__name` where several do. A name
 * that would still mean two things means nothing. Names are compared as they are, character by character: nothing is
 * folded, trimmed or normalised, so that a look-alike is simply another name.
 */
export function offersOf(upstreams: readonly Named[]): ReadonlyMap<string, Offer> {
  const all = upstreams.flatMap(({ server, items }) => {
    const own = new Map<string, Offer>()
    for (const item of items) {
      const { name } = item
      if (typeof name !== 'string' || !NAME.test(name) || own.has(name)) continue
      own.set(name, { exposed: name, server, name, item })
    }
    return [...own.values()]
  })
  // A prefixed name may be what another upstream calls a tool of its own: then that one is prefixed, too.
  let offers = all
  for (let round = 0; round < 2; round++) {
    const count = countBy(offers)
    offers = offers.map((offer) => (count.get(offer.exposed) === 1 ? offer : { ...offer, exposed: prefixed(offer) }))
  }
  const count = countBy(offers)
  return new Map(offers.filter(({ exposed }) => count.get(exposed) === 1).map((offer) => [offer.exposed, offer]))
}

function countBy(offers: readonly Offer[]): Map<string, number> {
  const count = new Map<string, number>()
  for (const { exposed } of offers) count.set(exposed, (count.get(exposed) ?? 0) + 1)
  return count
}

/** The item as callers see it: only its name may differ. */
export const shown = ({ exposed, item }: Offer): Raw => ({ ...item, name: exposed })
