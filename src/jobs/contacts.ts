import { z } from 'zod'
import { BrokenFileError, type Findings, readJsonFile } from '../approval/json-file.ts'
import { type Contact, type Person, SITUATIONS, type Situation } from '../report/contact.ts'
import type { System } from '../system/system.ts'

/** The team's contacts.json, checked. */
export interface Contacts {
  readonly situations: Readonly<Record<Situation, Contact>>
  /** Roles that are called and have no phone: true, and not enough at night. */
  readonly withoutPhone: readonly string[]
}

const MAX_BYTES = 256 * 1024
const text = z.string().trim().max(100)
const role = z.strictObject({
  name: text.default(''),
  phone: text.regex(/^(\+?[\d ()-]{3,24})?$/, 'not a telephone number: digits, spaces, + - ( )').default(''),
  channel: text.default(''),
})
const situation = z.strictObject({
  call: z.array(text.min(1)).min(1, 'nobody is called'),
  within_minutes: z.int().min(1).max(1440),
})
const schema = z.strictObject({
  $comment: z.string().optional(),
  situations: z.strictObject(
    Object.fromEntries(SITUATIONS.map((name) => [name, situation])) as Record<Situation, typeof situation>,
  ),
  roles: z.record(text.min(1), role),
})
type File = z.infer<typeof schema>

/** @throws BrokenFileError */
export async function readContacts(system: Pick<System, 'readText'>, path: string): Promise<Contacts> {
  let json: string
  try {
    json = await system.readText(path, MAX_BYTES)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new BrokenFileError([`${path}: ${code === 'ENOENT' ? 'no such file' : message}`])
  }
  return parseContacts(json, path)
}

/**
 * @param file named in what is said about it
 * @throws BrokenFileError
 */
export function parseContacts(json: string, file: string): Contacts {
  return contactsOf(readJsonFile(json, { file, whole: 'contacts', schema, check: checkCalls }))
}

/** Whom to call, and how soon they answer. */
export const contactFor = ({ situations }: Contacts, situation: Situation): Contact => situations[situation]

/** Every role exists, and nobody comes again: an escalation that goes round in a circle reaches no one new. */
function checkCalls({ situations, roles }: File, { wrong }: Findings): void {
  for (const name of SITUATIONS) {
    situations[name].call.forEach((who, i, all) => {
      const path = ['situations', name, 'call', i]
      if (!Object.hasOwn(roles, who)) wrong(path, `no role "${who}" under roles`)
      if (all.indexOf(who) < i) wrong(path, `a loop: "${who}" was called before`)
    })
  }
}

function contactsOf({ situations, roles }: File): Contacts {
  const person = (name: string): Person => {
    const { name: who, phone, channel } = roles[name]!
    return { role: name, name: who || null, phone: phone || null, channel: channel || null }
  }
  const entries = SITUATIONS.map((name): [Situation, Contact] => {
    const { call, within_minutes } = situations[name]
    return [name, { situation: name, within_minutes, call: call.map(person) as [Person, ...Person[]] }]
  })
  const called = new Set(SITUATIONS.flatMap((name) => situations[name].call))
  return {
    situations: Object.fromEntries(entries) as Record<Situation, Contact>,
    withoutPhone: [...called].filter((name) => roles[name]!.phone === ''),
  }
}
