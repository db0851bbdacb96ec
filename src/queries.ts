import type { Archive } from './approval/archive.ts'
import type { AuditedRequest } from './approval/audit-request.ts'
import type { ArchivedLife, ArchivedRequest } from './approval/store.ts'
import { query } from './sql.ts'
import type { AttemptParams, ClaimParams, JobRunRow } from './store/ledger-rows.ts'
import type { EventRow, LifeRow, RequestRow, UserRow } from './store/rows.ts'

type At = { at: string }
type Seq = { seq: number }
type Id = { request_id: string }
interface ListParams {
  status: string | null
  tool_name: string | null
  before_at: string | null
  before_id: string | null
  now: string
  limit: number
}
type ListedRow = RequestRow & { fits: number }
/** Half-open, as `sqlBound` writes instants. */
type Period = { from: string; until: string }
type AuditRow = Pick<EventRow, 'seq' | 'at' | 'type' | 'actor' | 'data'>
type TotalsRow = Record<
  'row_count' | 'open' | 'unanswered' | 'approved' | 'rejected' | 'cancelled' | 'unknown_status',
  number
>
type OdditiesRow = Record<
  | 'odd_rows'
  | 'unknown_status'
  | 'unreadable_request_time'
  | 'unreadable_deadline'
  | 'unreadable_decision_time'
  | 'deadline_before_request'
  | 'decided_before_request'
  | 'decided_after_deadline'
  | 'decided_in_future',
  number
>

/** The statements of the server's store: sql/store. */
export const storeQueries = {
  requestGet: query<Id, RequestRow>('store/request-get'),
  requestIdsWithPrefix: query<{ prefix: string }, Id>('store/request-ids-with-prefix'),
  requestOpenCall: query<{ user_id: string; digest: string }, RequestRow>('store/request-open-call'),
  requestInsert: query<
    Id & {
      tool_name: string
      user_id: string
      role: string
      request_data: string
      status: string
      requested_at: string
      expires_at: string
      server: string
      level: string
      digest: string
      reason: string | null
      seq: number
    }
  >('store/request-insert'),
  requestDecide: query<Id & At & Seq & { status: string; responder_id: string; reason: string | null }, RequestRow>(
    'store/request-decide',
  ),
  requestCancel: query<Id & At & Seq, RequestRow>('store/request-cancel'),
  requestExpire: query<Id & At & Seq, RequestRow>('store/request-expire'),
  requestDue: query<{ now: string; limit: number }, Id>('store/request-due'),
  requestNextDeadline: query<Record<string, never>, { expires_at: string | null }>('store/request-next-deadline'),
  requestConsume: query<Id & At & Seq & { digest: string; user_id: string; decided_after: string }, RequestRow>(
    'store/request-consume',
  ),
  requestUsable: query<{ user_id: string; digest: string; decided_after: string }, RequestRow>('store/request-usable'),
  requestCountOpen: query<{ now: string }, { n: number }>('store/request-count-open'),
  requestCountOpenOf: query<{ now: string; user_id: string }, { n: number }>('store/request-count-open-of'),
  requestOpen: query<{ now: string; user_id: string | null; limit: number }, RequestRow>('store/request-open'),
  requestList: query<ListParams, ListedRow>('store/request-list'),
  requestListOf: query<ListParams & { user_id: string }, ListedRow>('store/request-list-of'),
  requestCountAdopted: query<Record<string, never>, { n: number }>('store/request-count-adopted'),
  requestAudited: query<{ after: string; limit: number }, AuditedRequest>('store/request-audited'),
  callsRequested: query<
    At & { id: string; limit: number },
    Pick<RequestRow, 'requested_at' | 'request_id' | 'server' | 'tool_name'>
  >('store/calls-requested'),
  callsBypassed: query<At & Seq & { limit: number }, At & Seq & { server: string; tool_name: string }>(
    'store/calls-bypassed',
  ),
  lifeSee: query<Id & LifeRow>('store/life-see'),
  lifeOf: query<Id, LifeRow | Record<keyof LifeRow, null>>('store/life-of'),
  eventHead: query<Record<string, never>, { seq: number; hash: string }>('store/event-head'),
  eventInsert: query<EventRow>('store/event-insert'),
  eventPage: query<{ after: number; limit: number }, EventRow>('store/event-page'),
  eventLast: query<Record<string, never>, EventRow>('store/event-last'),
  eventLastGate: query<Record<string, never>, EventRow>('store/event-last-gate'),
  eventLastArchived: query<Record<string, never>, EventRow>('store/event-last-archived'),
  eventFirst: query<Record<string, never>, Seq>('store/event-first'),
  eventOnce: query<{ type: string; id: string | null; finished_at: string }, Seq>('store/event-once'),
  eventOutcome: query<Id, { found: number }>('store/event-outcome'),
  eventGuards: query<Record<string, never>, { name: string }>('store/event-guards'),
  userByToken: query<{ token_sha256: string }, UserRow>('store/user-by-token'),
  userGet: query<{ user_id: string }, UserRow>('store/user-get'),
  userList: query<Record<string, never>, UserRow>('store/user-list'),
  userInsert: query<At & { user_id: string; username: string | null; role: string; token_sha256: string }>(
    'store/user-insert',
  ),
  userSetActive: query<At & { user_id: string; is_active: number }>('store/user-set-active'),
  userSetToken: query<At & { user_id: string; token_sha256: string }>('store/user-set-token'),
  roleSeed: query<At>('store/role-seed'),
  archiveList: query<Record<string, never>, Archive>('store/archive-list'),
  archiveInsert: query<Archive>('store/archive-insert'),
  archiveOldest: query<{ until: string }, { event_at: string | null; request_at: string | null }>(
    'store/archive-oldest',
  ),
  archiveDropRequest: query<ArchivedRequest>('store/archive-drop-request'),
  archiveDropLife: query<ArchivedLife>('store/archive-drop-life'),
  archiveDropEvents: query<{ last_seq: number; limit: number }>('store/archive-drop-events'),
} as const

/** The statements of the archives' files, `main`, and of the database that they are copied from, `live`: sql/archive. */
export const archiveQueries = {
  lacks: query<Record<string, never>, { lacks: number }>('archive/lacks'),
  copyLimit: query<{ after: number; until: string; now: string }, { seq: number | null }>('archive/copy-limit'),
  copyReach: query<
    { after: number; before: number; limit: number },
    { seq: number; type: string; waits: number | null; last: number }
  >('archive/copy-reach'),
  copyEvents: query<{ after: number; until: number }>('archive/copy-events'),
  copyRequests: query<{ after: number; until: number }>('archive/copy-requests'),
  copyLife: query<{ after: number; until: number }>('archive/copy-life'),
  copyAdopted: query<{ until: string; limit: number }>('archive/copy-adopted'),
  counts: query<Record<string, never>, { events: number; requests: number }>('archive/counts'),
} as const

/** What an archive alone is asked. */
export const archivedQueries = {
  requestPage: query<{ after: number; limit: number }, ArchivedRequest & { place: number }>('archive/request-page'),
  lifePage: query<Pick<ArchivedLife, 'created_seq' | 'what' | 'who'> & { limit: number }, ArchivedLife>(
    'archive/life-page',
  ),
} as const

/** The statements of the reports and checks, read-only: sql/report. */
export const reportQueries = {
  checkTables: query<Record<string, never>, { name: string }>('report/check-tables'),
  checkOpen: query<{ now: string }, { open: number; oldest: string | null; soonest: string | null }>(
    'report/check-open',
  ),
  checkZombies: query<
    { before: string; limit: number },
    { zombies: number; request_id: string; tool_name: string; expires_at: string }
  >('report/check-zombies'),
  checkEvents: query<{ limit: number }, EventRow>('report/check-events'),
  checkFirstEvent: query<Record<string, never>, { at: string }>('report/check-first-event'),
  checkNewestRequest: query<
    Record<string, never>,
    { request_id: string; requested_at: string; adopted: number; recorded: number }
  >('report/check-newest-request'),
  // A period's statistics, for whoever needs them: src/jobs/statistics.ts reads them.
  periodTotals: query<Period & { now: string }, TotalsRow>('report/period-totals'),
  /** `times`: a JSON array of milliseconds, null for what cannot be read. */
  periodApprovers: query<
    Period,
    { responder_id: string | null; decided: number; approved: number; own: number; times: string }
  >('report/period-approvers'),
  /** `decided_at`: a JSON array of milliseconds since 1970, null for what cannot be read. */
  periodDecidedAt: query<Period, { responder_id: string | null; decided_at: string }>('report/period-decided-at'),
  periodTools: query<
    Period & { now: string; limit: number },
    { tool_name: string; requests: number; approved: number; rejected: number; unanswered: number }
  >('report/period-tools'),
  periodUnanswered: query<
    Period & { now: string; limit: number },
    { tool_name: string; unanswered: number; tools: number; total: number }
  >('report/period-unanswered'),
  /** `seen`: a JSON array of [what, who, first_at, last_at]. */
  unansweredLives: query<
    Period & { now: string },
    Pick<RequestRow, 'request_id' | 'tool_name' | 'user_id' | 'status' | 'requested_at' | 'expires_at'> & {
      recorded: number
      expired_at: string | null
      seen: string
    }
  >('report/unanswered-lives'),
  serverRuns: query<
    { from: string },
    Pick<EventRow, 'seq' | 'at' | 'type'> & { first_start: string | null; alive_at: string | null }
  >('report/server-runs'),
  concurrencySpans: query<
    Period & { since: string },
    Pick<RequestRow, 'status' | 'requested_at' | 'responded_at' | 'expires_at'> & { cancelled_at: string | null }
  >('report/concurrency-spans'),
  decidedTwice: query<Period & { limit: number }, { request_id: string; others: number; requests: number }>(
    'report/decided-twice',
  ),
  checkFile: query<
    Record<string, never>,
    { journal_mode: string; page_size: number; page_count: number; freelist_count: number; requests: number }
  >('report/check-file'),
  periodOddities: query<Period & { soon: string }, OdditiesRow>('report/period-oddities'),
  rowsOutside: query<{ soon: string }, { in_future: number; unreadable: number }>('report/rows-outside'),
  firstRequest: query<Record<string, never>, { first: string | null }>('report/first-request'),
  gateBefore: query<{ from: string }, AuditRow>('report/gate-before'),
  gateEvents: query<Period, AuditRow>('report/gate-events'),
  callsUnapproved: query<
    Period & { limit: number },
    {
      seq: number
      at: string
      actor: string
      calls: number
      server: string | null
      tool: string | null
      level: string | null
      digest: string | null
    }
  >('report/calls-unapproved'),
  toolsDecided: query<
    Period,
    { tool_name: string; requests: number; approved: number; rejected: number; level: string | null }
  >('report/tools-decided'),
  callsWithoutRequest: query<Period, { at: string; tool: string | null; level: string | null }>(
    'report/calls-without-request',
  ),
  administrativeActs: query<Period & { limit: number }, AuditRow & { request_id: string | null; acts: number }>(
    'report/administrative-acts',
  ),
  archivedMonths: query<Record<string, never>, Pick<Archive, 'month' | 'file' | 'until'>>('report/archived-months'),
  chainHead: query<Record<string, never>, { seq: number; at: string; hash: string }>('report/chain-head'),
} as const

/** The statements of the toolkit's own ops.db: sql/ledger. */
export const ledgerQueries = {
  jobKnown: query<{ job: string; now: string }, { known_since: string }>('ledger/job-known'),
  runFind: query<{ job: string; date: string }, JobRunRow>('ledger/run-find'),
  runActive: query<{ job: string }, JobRunRow>('ledger/run-active'),
  runLastDue: query<{ job: string; before: string }, { nominal: string | null }>('ledger/run-last-due'),
  runClaim: query<ClaimParams>('ledger/run-claim'),
  runClaimAgain: query<ClaimParams & { attempt: number }>('ledger/run-claim-again'),
  runStarted: query<AttemptParams & { child_pid: number; child_start: string; output_file: string }>(
    'ledger/run-started',
  ),
  runFinished: query<
    AttemptParams & { state: string; exit_code: number | null; output_tail: string | null; note: string | null }
  >('ledger/run-finished'),
  runNotRun: query<
    ClaimParams & { state: string; missed_from: string | null; missed_count: number | null; note: string | null }
  >('ledger/run-not-run'),
  history: query<{ job: string | null; limit: number }, JobRunRow>('ledger/history'),
  heartbeat: query<Record<string, never>, { at: string; uptime: number; boot: string; settle_until: number }>(
    'ledger/heartbeat',
  ),
  beat: query<{ at: string; uptime: number; boot: string; settle_until: number }>('ledger/beat'),
  checkRuns: query<
    { from: string },
    Pick<
      JobRunRow,
      | 'job'
      | 'nominal_date'
      | 'nominal'
      | 'state'
      | 'attempt'
      | 'started_at'
      | 'finished_at'
      | 'exit_code'
      | 'missed_from'
      | 'missed_count'
    >
  >('ledger/check-runs'),
  checkLastScan: query<{ job: string; from: string; before: string }, { started_at: string | null }>(
    'ledger/check-last-scan',
  ),
  checkKnown: query<{ job: string }, { known_since: string }>('ledger/check-known'),
} as const

/** What a backup is compared by, in databases of any age: sql/backup. */
export const backupQueries = {
  newestRequest: query<Record<string, never>, { newest: string | null }>('backup/newest-request'),
  movedOut: query<Record<string, never>, { moved: number }>('backup/moved-out'),
} as const
