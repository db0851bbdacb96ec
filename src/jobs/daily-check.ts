import { rollbacksPath, serverUrl } from '../config.ts'
import { dailyCheckDocument } from '../report/daily-check.ts'
import {
  type CheckName,
  type DailyCheckData,
  type Finding,
  inOrder,
  LIMITS,
  verdictOf,
} from '../report/daily-check-data.ts'
import { failureText } from '../report/daily-check-text.ts'
import { type Attempt, attempt, finding, iso, unmeasured } from './check.ts'
import { checkArchive } from './check-archive.ts'
import { checkBackup } from './check-backup.ts'
import { checkClock } from './check-clock.ts'
import { checkDisk } from './check-database.ts'
import { checkDocker } from './check-docker.ts'
import { checkDrill, drillFinding } from './check-drill.ts'
import { checkErrors } from './check-errors.ts'
import { gateFinding, policyFinding, settingRows, settingsFinding } from './check-gate.ts'
import { gatewayFinding } from './check-gateway.ts'
import { checkJobs } from './check-jobs.ts'
import { readRecords, recordFindings } from './check-records.ts'
import { checkRollbacks } from './check-rollbacks.ts'
import { checkServer } from './check-server.ts'
import { NO_ERRORS } from './error-rows.ts'
import { type JobContext, job } from './job.ts'
import { scanWindow } from './scan-window.ts'
import { withContacts } from './situation.ts'

/** Deadline of one check, ms. The drill has more: one of its canaries has to expire. */
const EACH = 3000
const DRILL = 8000
const DOCKER = 5000
/** For all of them. */
const ALL = 10_000

/** The 09:00 check: is the desk there, does it hold calls back, and is anything piling up? */
export const dailyCheck = job({
  name: 'daily-check',
  summary: {
    ko: '서버, 게이트, 데이터베이스, 로그, 예약 작업을 점검하고 모의 승인을 해 봅니다',
    en: 'Checks server, gate, database, log and scheduled jobs, and drills an approval',
  },
  flags: {
    'no-drill': {
      type: 'boolean',
      help: { ko: '모의 승인을 생략합니다', en: 'leave the drill out' },
    },
  },
  timeoutSeconds: 30,
  async run(context, args) {
    const data = await look(context, args['no-drill'])
    const { checks, verdict } = data
    return {
      report: { schema: 'ops.daily-check.v1', data, document: (lang) => dailyCheckDocument(data, lang) },
      verdict,
      ...(verdict !== 'ok' && { failure: (lang) => failureText(checks, lang, context.zone) }),
    }
  },
})

async function look(context: JobContext, noDrill: boolean): Promise<DailyCheckData> {
  const { now, zone, settings, system } = context
  const started = performance.now()
  const elapsed = (): number => performance.now() - started
  const disk = attempt(EACH, () => checkDisk(context))
  const archive = attempt(EACH, () => checkArchive(context))
  const rollbacks = attempt(EACH, () => checkRollbacks(system, rollbacksPath(settings), now))
  // First what goes over the network: the database is read synchronously, and would slow down what is being timed.
  const probed = checkServer(system, serverUrl(settings), () => now + elapsed())
  // Starting a program takes this process a moment, too.
  const docker = probed.then(() => attempt(DOCKER, () => checkDocker(context.containers, scanWindow(context), DOCKER)))
  const [server, drilled] = await Promise.all([
    probed,
    noDrill ? null : attempt(DRILL, () => checkDrill(context, system.newId())),
  ])
  const { health } = server
  const records = await readRecords(context, EACH)
  const { desk, gateOff: off, unapproved } = records
  const limit = Math.max(500, Math.min(EACH, ALL - elapsed()))
  const errors = await attempt(limit, () =>
    checkErrors(system, settings.LOG_PATH, scanWindow(context), desk?.firstEvent ?? null, limit / 2),
  )
  const rolledBack = await rollbacks
  const disabled = rolledBack.done ? rolledBack.value.disabled : null
  const [ran, began] = [unapproved?.calls_total ?? null, desk?.firstEvent ?? null]
  const gate = gateFinding({ settings, health, off, ran, began, disabled, now, zone })
  const rows = settingRows({ settings, health })
  const maxPending = health?.max_pending ?? settings.APPROVAL_MAX_PENDING
  const printed = await docker
  const findings = [
    server.finding,
    gate,
    settingsFinding(rows, health),
    policyFinding(health),
    rolledBack.done ? rolledBack.value.finding : unmeasured('rollbacks', rolledBack),
    drilled === null ? finding('drill.skipped', 'skipped', {}) : drillOf(drilled, gate),
    ...recordFindings(records, { now, maxPending, answers: health !== null }),
    errors.done ? errors.value.finding : unmeasured('errors', errors),
    result('disk', await disk),
    result('archive', await archive),
    ...checkJobs(context, desk?.firstEvent ?? null),
    checkClock(server, desk?.newestEvent ?? null),
    result('backup', await attempt(EACH, () => checkBackup(context, desk?.firstEvent ?? null))),
    printed.done ? printed.value.finding : unmeasured('docker', printed),
    gatewayFinding(health, settings.LOG_PATH),
  ]
  return {
    now: iso(now)!,
    zone,
    verdict: verdictOf(findings),
    limits: LIMITS,
    ...(await withContacts(context, inOrder(findings))),
    settings: rows,
    unapproved,
    yesterday: records.yesterday,
    errors: errors.done ? errors.value.rows : NO_ERRORS,
    docker: printed.done ? printed.value.rows : NO_ERRORS,
  }
}

const result = (check: CheckName, tried: Attempt<Finding>): Finding =>
  tried.done ? tried.value : unmeasured(check, tried)

function drillOf(tried: Attempt<Awaited<ReturnType<typeof checkDrill>>>, gate: Finding): Finding {
  if (!tried.done) return unmeasured('drill', tried)
  return 'check' in tried.value ? tried.value : drillFinding(tried.value, gate)
}
