import { shortId } from '../approval/request.ts'
import { contactWords } from './contact.ts'
import { type Block, type Document, heading, type Lang, paragraph } from './document.ts'
import { localTime, periodText, zoneName } from './period.ts'
import type { TimeoutDiagnosisData, Timeouts } from './timeout-diagnosis-data.ts'
import { concurrencyBlocks, sizeBlocks } from './timeout-diagnosis-database.ts'
import { casesBlocks, reasonsBlocks, sumsBlocks } from './timeout-diagnosis-reasons.ts'
import { findingItem, texts, verdictText } from './timeout-diagnosis-text.ts'
import { timesBlocks } from './timeout-diagnosis-times.ts'

/** What every section needs to say something. */
export interface Voice {
  readonly say: ReturnType<typeof texts>
  readonly lang: Lang
  /** An instant (ISO 8601) on the wall of the report's zone; a text that is none stays what it is. */
  readonly time: (iso: string | null, pattern?: string) => string
}

/** The diagnosis for people: what needs action, then what was asked for. */
export function timeoutDiagnosisDocument(data: TimeoutDiagnosisData, lang: Lang): Document {
  const say = texts(lang)
  const { now, zone, verdict, timeouts, concurrency, size } = data
  const time: Voice['time'] = (iso, pattern = 'MM-DD HH:mm') => {
    const ms = Date.parse(iso ?? '')
    return Number.isNaN(ms) ? (iso ?? '–') : localTime(ms, zone, pattern)
  }
  const voice: Voice = { say, lang, time }
  const as_of = say('as_of', { now: time(now, 'YYYY-MM-DD HH:mm:ss'), zone: zoneName(Date.parse(now), zone) })
  return {
    lang,
    title: titleOf(data, lang),
    verdict: { state: verdict, text: verdictText(data, lang) },
    blocks: [
      paragraph(as_of),
      ...findingBlocks(data, voice),
      ...(timeouts ? timeoutBlocks(timeouts, data, voice) : []),
      ...(concurrency ? concurrencyBlocks(concurrency, voice) : []),
      ...(size ? sizeBlocks(size, voice, data.days) : []),
    ],
  }
}

function titleOf({ concurrency, size }: TimeoutDiagnosisData, lang: Lang): string {
  const say = texts(lang)
  if (concurrency && size) return say('title_both')
  if (concurrency) return say('title_concurrency')
  return size ? say('title_size') : say('title')
}

function findingBlocks({ findings, zone, contacts_problem: problem }: TimeoutDiagnosisData, voice: Voice): Block[] {
  const { say, lang } = voice
  if (findings.length === 0) return []
  return [
    heading(say('findings')),
    { kind: 'list', items: findings.map((finding) => findingItem(finding, lang, zone)) },
    ...(problem === null
      ? []
      : [{ kind: 'paragraph', state: 'unknown', text: contactWords(lang)('contact_broken', { problem }) } as const]),
  ]
}

function timeoutBlocks(timeouts: Timeouts, data: TimeoutDiagnosisData, voice: Voice): Block[] {
  const { say } = voice
  const { from, until, record_begins: begins, unanswered, zombies } = timeouts
  const period = periodText({ from: Date.parse(from), until: Date.parse(until) }, data.zone)
  const { count: n, ids } = zombies
  return [
    heading(say('reasons')),
    paragraph(say('period', { period, days: data.days })),
    ...(begins === null ? [] : [paragraph(say('record_begins', { at: voice.time(begins, 'YYYY-MM-DD HH:mm') }))]),
    ...(unanswered.total === 0
      ? [paragraph(say('reasons_none'))]
      : [
          ...reasonsBlocks(unanswered, voice),
          ...casesBlocks(unanswered, data.days, voice),
          ...sumsBlocks(unanswered, voice),
        ]),
    heading(say('zombies')),
    paragraph(n === 0 ? say('zombies_none') : say('zombies_some', { n, ids: ids.map(shortId).join(', ') })),
    ...timesBlocks(timeouts, data.timeout, voice),
  ]
}
