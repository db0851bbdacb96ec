import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfig, ROOT } from '../../src/config.ts'
import { dailyCheck } from '../../src/jobs/daily-check.ts'
import { dailyReport } from '../../src/jobs/daily-report.ts'
import type { JobContext, Outcome } from '../../src/jobs/job.ts'
import { timeoutDiagnosis } from '../../src/jobs/timeout-diagnosis.ts'
import { weeklySummary } from '../../src/jobs/weekly-summary.ts'
import type { DailyCheckData } from '../../src/report/daily-check-data.ts'
import { render } from '../../src/report/render.ts'
import { furnish, machineContext } from './realistic-machine.ts'
import { realisticMonth } from './realistic-month.ts'
import { environment } from './server.ts'

/** Monday evening, 18:00 in Seoul, at the end of the five weeks. */
export const EVENING = Date.parse('2026-11-23T09:00:00Z')

const SAMPLES: Readonly<Record<string, (context: JobContext) => Promise<Outcome>>> = {
  'daily-check': async (context) => withoutElapsed(await dailyCheck.run(context, { 'no-drill': true })),
  'daily-report': (context) => dailyReport.run(context, { date: undefined, keep: false }),
  'weekly-summary': (context) => weeklySummary.run(context, WEEKLY),
  'tool-risk': (context) => weeklySummary.run(context, { ...WEEKLY, risk: true }),
  'timeout-diagnosis': (context) => timeoutDiagnosis.run(context, DIAGNOSIS),
}
const WEEKLY = { weeks: undefined, risk: false, days: undefined, date: undefined, keep: false } as const
const DIAGNOSIS = { days: undefined, limit: undefined, concurrency: false, size: false } as const
/** The one figure of it that depends on the machine that made the sample: how long the checks took until then. */
function withoutElapsed(outcome: Outcome): Outcome {
  const { checks } = outcome.report.data as DailyCheckData
  const clock = checks.find(({ check }) => check === 'clock')!
  Object.assign(clock.facts, { difference_millis: 3 })
  return outcome
}

const FORMATS = { txt: 'table', md: 'markdown', html: 'html' } as const

/** The text of every file of docs/samples that a report is, made anew from the realistic month in `folder`. */
export async function samples(folder: string): Promise<Map<string, string>> {
  const config = loadConfig(environment(folder, { OPS_TIMEZONE: 'Asia/Seoul', PORT: '8020' }))
  await realisticMonth(config.settings.SECURITY_DB_PATH, EVENING, readFileSync(join(ROOT, 'policy.json'), 'utf8'))
  await furnish(config.settings, EVENING)
  const context = machineContext(config, folder, EVENING)
  const files = new Map<string, string>()
  for (const [name, run] of Object.entries(SAMPLES)) {
    const { report } = await run(context)
    for (const lang of ['ko', 'en'] as const) {
      for (const [ending, format] of Object.entries(FORMATS)) {
        files.set(`${name}.${lang}.${ending}`, render(report, format, lang, { colour: false, columns: 80 }))
      }
    }
  }
  return files
}
