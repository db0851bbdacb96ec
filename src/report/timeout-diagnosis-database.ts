import { size as bytesText } from './daily-check-text.ts'
import { type Block, paragraph } from './document.ts'
import { count } from './numbers.ts'
import type { Voice } from './timeout-diagnosis.ts'
import type { Concurrency, Holder, Size } from './timeout-diagnosis-data.ts'

/** How many were open at once, what came in each other's way, and who has the file. */
export function concurrencyBlocks(found: Concurrency, voice: Voice): Block[] {
  const { say, time } = voice
  const { open, max, peak, peak_at, unreadable, decided_twice_total, decided_twice, busy_errors, holders } = found
  const twice = decided_twice_total === 0 ? '0' : `${count(decided_twice_total)}: ${decided_twice.join(', ')}`
  const most = peak_at === null ? '0' : say('peak_value', { n: count(peak), time: time(peak_at, 'MM-DD HH:mm:ss') })
  return [
    {
      kind: 'table',
      caption: say('concurrency'),
      head: [say('item'), say('value')],
      rows: [
        [say('open_now'), `${count(open)} / ${count(max)}`],
        [say('peak'), most],
        ...(unreadable > 0 ? [[say('unreadable'), count(unreadable)]] : []),
        [say('decided_twice'), twice],
        [say('busy_errors'), busy_errors === null ? say('busy_unknown') : count(busy_errors)],
        [say('journal_mode'), found.journal_mode],
        [say('holders'), holdersText(holders, voice)],
      ],
    },
    ...(holders && holders.hidden > 0 ? [paragraph(say('holders_hidden', { n: count(holders.hidden) }))] : []),
  ]
}

function holdersText(holders: Concurrency['holders'], { say }: Voice): string {
  if (holders === null) return say('holders_unknown')
  if (holders.seen.length === 0) return holders.hidden > 0 ? say('holders_unknown') : say('holders_none')
  const one = ({ name, pid, is_server }: Holder) => say(is_server ? 'holder_server' : 'holder', { name, pid })
  return holders.seen.map(one).join(', ')
}

/** How large the files are, how fast they grow, and how long the disk lasts. */
export function sizeBlocks(found: Size, { say }: Voice, days: number): Block[] {
  const { growth_bytes_per_day: daily, requests_per_day, bytes_per_request, disk_free_bytes, days_to_full } = found
  const how =
    requests_per_day === null || bytes_per_request === null
      ? []
      : [paragraph(say('growth_how', { per_day: count(requests_per_day), days, each: bytesText(bytes_per_request) }))]
  return [
    {
      kind: 'table',
      caption: say('size'),
      head: [say('item'), say('value')],
      align: ['left', 'right'],
      rows: [
        [say('db'), bytesText(found.db_bytes)],
        [say('wal'), bytesText(found.wal_bytes)],
        [say('shm'), bytesText(found.shm_bytes)],
        [say('free_pages'), bytesText(found.free_pages_bytes)],
        [say('requests'), count(found.requests)],
        [say('growth'), daily === null ? say('growth_unknown') : bytesText(daily)],
        [say('disk_free'), disk_free_bytes === null ? say('not_known') : bytesText(disk_free_bytes)],
        [say('days_to_full'), days_to_full === null ? say('not_known') : say('days', { n: count(days_to_full) })],
      ],
    },
    ...how,
  ]
}
