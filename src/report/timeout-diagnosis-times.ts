import { type Block, heading, paragraph } from './document.ts'
import { count, duration } from './numbers.ts'
import type { Voice } from './timeout-diagnosis.ts'
import type { Bucket, Suggestion, TimeoutDiagnosisData, Timeouts } from './timeout-diagnosis-data.ts'
import { barChart } from './timeout-diagnosis-reasons.ts'

/** How long decisions took against the timeout, and what the data say of a better one. */
export function timesBlocks(
  { decision_times: times, distribution, suggestion }: Timeouts,
  timeout: TimeoutDiagnosisData['timeout'],
  voice: Voice,
): Block[] {
  const { say, lang } = voice
  const shown = (ms: number | null) => (ms === null ? '–' : duration(ms, lang))
  const { p50_ms, p90_ms, p95_ms, max_ms } = times
  const ranks = { p50: shown(p50_ms), p90: shown(p90_ms), p95: shown(p95_ms), max: shown(max_ms) }
  return [
    heading(say('times')),
    paragraph(timeoutText(timeout, voice)),
    ...(times.n === 0
      ? [paragraph(say('times_none'))]
      : [paragraph(say('times_ranks', { n: count(times.n), ...ranks })), chartOf(distribution, voice)]),
    paragraph(suggestionText(suggestion, voice)),
  ]
}

function timeoutText({ configured, effective }: TimeoutDiagnosisData['timeout'], { say }: Voice): string {
  if (effective === null) return say('timeout_unknown', { configured })
  return configured === effective
    ? say('timeout_same', { configured })
    : say('timeout_differs', { configured, effective })
}

function chartOf(buckets: readonly Bucket[], voice: Voice): Block {
  const { say, lang } = voice
  const shown = (ms: number) => duration(ms, lang)
  const bars = buckets.map(({ from_ms, until_ms, decided }) => ({
    count: decided,
    label:
      until_ms === null
        ? say('bucket_last', { from: shown(from_ms) })
        : say('bucket', { from: shown(from_ms), until: shown(until_ms) }),
  }))
  return barChart(say('distribution', { timeout: shown(buckets.at(-1)?.from_ms ?? 0) }), bars, voice)
}

/** A number only with what it is worth: from how many cases, and what could not be seen. */
function suggestionText({ seconds, k, n, needed, late, censored }: Suggestion, { say }: Voice): string {
  const sentences = [
    seconds === null
      ? say('suggest_few', { n: count(n), needed })
      : say('suggest', { k: count(k), n: count(n), seconds: count(seconds) }),
    ...(late > 0 && n > 0 ? [say('suggest_late', { late: count(late) })] : []),
    ...(seconds !== null && censored > 0 ? [say('suggest_censored', { n: count(censored) })] : []),
  ]
  return sentences.join(' ')
}
