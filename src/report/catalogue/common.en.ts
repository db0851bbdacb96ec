import type { SameKeys } from '../words.ts'
import type { ko } from './common.ko.ts'

export const en: SameKeys<typeof ko> = {
  ok: 'OK',
  warning: 'WARNING',
  critical: 'CRITICAL',
  unknown: 'UNKNOWN',
  not_configured: 'NOT CONFIGURED',
  state_text: '{state}: {text}',
  chart_numbers: 'The numbers',
}
