import { type Contact, contactWords, personText, type Situation, targetText } from './contact.ts'
import type { Block, Document, Lang, Report, State } from './document.ts'

export interface ContactsData {
  readonly file: string
  readonly verdict: 'ok' | 'warning'
  /** What was asked for; null for all of them. */
  readonly situation: Situation | null
  readonly contacts: readonly Contact[]
  /** Roles among these that have no telephone. */
  readonly without_phone: readonly string[]
}

export const contactsReport = (data: ContactsData): Report<ContactsData> => ({
  schema: 'ops.contacts.v1',
  data,
  document: (lang) => contactsDocument(data, lang),
})

/** "cause. next command", the last line on stderr. */
export function contactsFailure(data: ContactsData, lang: Lang): string | undefined {
  if (data.verdict === 'ok') return undefined
  return contactWords(lang)('fix', { cause: verdictText(data, lang), file: data.file })
}

function contactsDocument(data: ContactsData, lang: Lang): Document {
  const say = contactWords(lang)
  const { file, situation, verdict, contacts } = data
  const [only] = situation === null ? [] : contacts
  return {
    lang,
    title: situation === null ? say('title', { file }) : say('title_one', { situation: say(situation), file }),
    verdict: { state: verdict satisfies State, text: verdictText(data, lang) },
    blocks: [only ? orderTable(only, lang) : allTable(contacts, lang)],
  }
}

function verdictText({ without_phone: roles }: ContactsData, lang: Lang): string {
  const say = contactWords(lang)
  return roles.length === 0 ? say('complete') : say('no_phone', { n: roles.length, roles: roles.join(', ') })
}

function allTable(contacts: readonly Contact[], lang: Lang): Block {
  const say = contactWords(lang)
  return {
    kind: 'table',
    caption: say('table'),
    head: [say('head_situation'), say('head_target'), say('head_order')],
    rows: contacts.map(({ situation, within_minutes, call }) => [
      say(situation),
      targetText(within_minutes, lang),
      call.map(personText).join(' → '),
    ]),
  }
}

function orderTable({ call, within_minutes }: Contact, lang: Lang): Block {
  const say = contactWords(lang)
  return {
    kind: 'table',
    caption: say('order', { target: targetText(within_minutes, lang) }),
    head: [say('head_role'), say('head_name'), say('head_phone'), say('head_channel')],
    rows: call.map(({ role, name, phone, channel }) => [role, name ?? '–', phone ?? '–', channel ?? '–']),
  }
}
