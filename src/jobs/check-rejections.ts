import { type Finding, LIMITS, type Yesterday } from '../report/daily-check-data.ts'
import { finding } from './check.ts'
import { reportCommand } from './daily-report-periods.ts'

/** Many refusals in one day: somebody asks for what they should not, or a tool has gone wrong. */
export function rejectionsFinding({ day, record_begins: begins_at }: Yesterday): Finding {
  const { rejected, decided } = day
  if (begins_at !== null) return finding('rejections.before_record', 'skipped', { begins_at })
  const facts = { rejected, decided }
  if (decided < LIMITS.mass_decided) return finding('rejections.few', 'ok', facts)
  if (rejected * 100 > decided * LIMITS.mass_percent) {
    return finding('rejections.mass', 'warning', facts, { next: reportCommand(day.date) })
  }
  return finding('rejections.usual', 'ok', facts)
}
