import { shortId } from '../approval/request.ts'
import { serverUrl } from '../config.ts'
import { reportQueries } from '../queries.ts'
import type { Period } from '../report/period.ts'
import { timeoutDiagnosisDocument } from '../report/timeout-diagnosis.ts'
import type { Concurrency, TimeoutDiagnosisData, Timeouts } from '../report/timeout-diagnosis-data.ts'
import { failureText } from '../report/timeout-diagnosis-text.ts'
import { fromSqlTime, type Reader, type ReadTransaction, sqlBound } from '../sql.ts'
import { assertNotArchived, firstOnRecord } from './archived.ts'
import { checkServer, type Health } from './check-server.ts'
import { busyErrors, holdersOf, readConcurrency } from './concurrency.ts'
import { measureSize, readGrowth } from './database-size.ts'
import { type JobContext, job } from './job.ts'
import { ascending, readTallies, type Tally } from './statistics.ts'
import { findingsOf, verdictOf, withContacts } from './timeout-findings.ts'
import { timesOf } from './timeout-times.ts'
import { countUnanswered, SWEEP_LATE_MS } from './unanswered.ts'

const DAY = 86_400_000
const MAX_DAYS = 400
const MAX_LIMIT = 1000
const SHOWN_IDS = 5
/** For reading the server's log. */
const LOG_MS = 10_000

const whole = (max: number) => ({
  accepts: (text: string) => /^[1-9]\d{0,3}$/.test(text) && Number(text) <= max,
  allowed: `1 - ${max}`,
})

/** Why did nobody answer, were too many open at once, is the file growing too fast? The runbook's "문제 진단". */
export const timeoutDiagnosis = job({
  name: 'timeout-diagnosis',
  summary: {
    ko: '타임아웃 분석: 응답 없는 요청마다 이유를 밝힙니다. 동시성과 데이터베이스 크기도 봅니다.',
    en: 'Says why nobody answered, request by request; also looks at concurrency and the size of the database.',
  },
  timeoutSeconds: 60,
  flags: {
    days: {
      type: 'string',
      value: 'N',
      help: { ko: '지금부터 며칠 전까지 볼지(기본값 7)', en: 'how many days back from now (default: 7)' },
      ...whole(MAX_DAYS),
    },
    limit: {
      type: 'string',
      value: 'N',
      help: {
        ko: '하나씩 보여 줄 최근 요청 수(기본값 10)',
        en: 'how many of the latest to show one by one (default: 10)',
      },
      ...whole(MAX_LIMIT),
    },
    concurrency: {
      type: 'boolean',
      help: { ko: '타임아웃 대신 동시성을 봅니다', en: 'look at concurrency instead of timeouts' },
    },
    size: {
      type: 'boolean',
      help: {
        ko: '타임아웃 대신 데이터베이스 크기를 봅니다',
        en: 'look at the size of the database instead of timeouts',
      },
    },
  },
  async run(context, { days = '7', limit = '10', concurrency, size }) {
    const wanted = { timeouts: !concurrency && !size, concurrency, size }
    const data = await diagnose(context, Number(days), Number(limit), wanted)
    return {
      report: {
        schema: 'ops.timeout-diagnosis.v1',
        data,
        document: (lang) => timeoutDiagnosisDocument(data, lang),
      },
      verdict: data.verdict,
      ...(data.verdict !== 'ok' && { failure: (lang) => failureText(data, lang) }),
    }
  },
})

interface Wanted {
  readonly timeouts: boolean
  readonly concurrency: boolean
  readonly size: boolean
}

async function diagnose(
  context: JobContext,
  days: number,
  limit: number,
  wanted: Wanted,
): Promise<TimeoutDiagnosisData> {
  const { now, zone, settings, system } = context
  const { health } = await checkServer(system, serverUrl(settings), () => now)
  const configured = settings.APPROVAL_TIMEOUT
  const effective = effectiveTimeout(health)
  const period = { from: now - days * DAY, until: now }
  const reader = context.reader()
  let read: ReturnType<typeof readAll>
  let timeouts: Timeouts | null
  try {
    read = reader.read((tx) => {
      assertNotArchived(tx, period, settings)
      return readAll(tx, { period, now, wanted })
    })
    const question = { period, now, zone, limit, timeout: effective ?? configured }
    timeouts = wanted.timeouts ? readTimeouts(reader, question) : null
  } finally {
    // Before anybody asks who holds the file.
    reader.close()
  }
  const found = {
    server_answers: health !== null,
    timeouts,
    concurrency: read.concurrency && (await completed(context, read.concurrency, health)),
    size: read.growth && (await measureSize(system, settings.SECURITY_DB_PATH, read.growth)),
  }
  const findings = findingsOf(found, serverUrl(settings))
  return {
    ...{ now: new Date(now).toISOString(), zone, verdict: verdictOf(findings), days },
    timeout: { configured, effective },
    ...found,
    ...(await withContacts(context, findings)),
  }
}

function effectiveTimeout(health: Health | null): number | null {
  const text = health?.config.effective.APPROVAL_TIMEOUT ?? ''
  return /^\d+$/.test(text) ? Number(text) : null
}

interface Question {
  readonly period: Period
  readonly now: number
  readonly zone: string
  readonly limit: number
  /** Seconds. */
  readonly timeout: number
}

function readAll(tx: ReadTransaction, { period, now, wanted }: Pick<Question, 'period' | 'now'> & { wanted: Wanted }) {
  return {
    concurrency: wanted.concurrency ? readConcurrency(tx, period, now) : null,
    growth: wanted.size ? readGrowth(tx, period, now) : null,
  }
}

/**
 * Each part of the period is a snapshot by itself: a year of a busy desk at once would hold the WAL for too long.
 * @param part how long a part is, ms
 */
export function readTimeouts(
  reader: Reader,
  { period, now, zone, limit, timeout }: Question,
  part: number = DAY,
): Timeouts {
  const count = countUnanswered(now, zone, limit)
  const tallies: Tally[] = []
  for (let until = period.until; until > period.from; until -= part) {
    const own = { from: Math.max(period.from, until - part), until }
    reader.read((tx) => {
      count.read(tx, own)
      tallies.push(...readTallies(tx, own))
    })
  }
  const unanswered = count.result()
  const { zombies, begin } = reader.read((tx) => ({
    zombies: tx.all(reportQueries.checkZombies, { before: sqlBound(now - SWEEP_LATE_MS), limit: SHOWN_IDS }),
    begin: fromSqlTime(firstOnRecord(tx) ?? ''),
  }))
  const since = fromSqlTime(zombies[0]?.expires_at ?? '')
  return {
    ...{ from: new Date(period.from).toISOString(), until: new Date(period.until).toISOString() },
    record_begins: begin > period.from ? new Date(begin).toISOString() : null,
    unanswered,
    zombies: {
      count: zombies[0]?.zombies ?? 0,
      since: Number.isNaN(since) ? null : new Date(since).toISOString(),
      ids: zombies.map(({ request_id }) => shortId(request_id)),
    },
    ...timesOf(ascending(tallies), unanswered, timeout),
  }
}

async function completed(
  { system, settings, now }: JobContext,
  read: ReturnType<typeof readConcurrency>,
  health: Health | null,
): Promise<Concurrency> {
  const end = performance.now() + LOG_MS
  const [busy_errors, holders] = await Promise.all([
    busyErrors(system, settings.LOG_PATH, now, () => performance.now() > end),
    holdersOf(system, settings.SECURITY_DB_PATH, health?.pid),
  ])
  return { ...read, max: health?.max_pending ?? settings.APPROVAL_MAX_PENDING, busy_errors, holders }
}
