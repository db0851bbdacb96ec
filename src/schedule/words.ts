import { type SameKeys, words } from '../report/words.ts'

export const ko = {
  usage: `사용법: npm run schedule -- 명령 [옵션]

명령 (없으면 스케줄러로 계속 동작):
  show               일정표와 crontab 줄
  next [-n N]        다음 실행 시각
  history [-n N]     실행 기록. --job JOB: 한 작업만
  run JOB            작업의 가장 최근 예정 실행. 누가 시작하든 한 번만 합니다
  run --due          예정되었지만 실행되지 않은 모든 작업

옵션: --format table|markdown|json|html, --lang ko|en,
      --by cron|hand (run을 부른 쪽), --help
종료 코드: run은 작업의 종료 코드. 75 이미 실행됨, 실행 중, 실행할 시간이 지남,
           64 잘못된 사용법, 78 잘못된 설정, 124 제한 시간 초과, 3 판단 불가
보장: 예정마다 최대 한 번. 실행이 중간에 끊긴 경우에만 한 번 더 시도합니다.
`,
  bad_usage: '잘못된 명령: {problem}. npm run schedule -- --help',
  bad_config: '설정이 잘못되었습니다. .env를 고친 뒤 다시: npm run schedule',
  bad_ledger: '원장을 열 수 없습니다: {cause}. ls -l {file}',
  lost: '경고: {what}. 오늘의 점검은 다시 실행될 수 있습니다',
  title_show: '일정',
  title_next: '다음 실행',
  title_history: '실행 기록',
  job: '작업',
  at: '시각',
  due: '예정',
  cron: 'cron 식',
  catch_up: '따라잡기',
  deadline: '제한',
  state: '상태',
  by: '시작',
  took: '소요',
  exit: '종료',
  note: '비고',
  crontab: 'crontab',
  weekdays: '월,화,수,목,금,토,일',
  hours: '{n}시간',
  minutes: '{n}분',
  seconds: '{n}초',
  empty: '아직 실행 기록이 없습니다.',
  missed_note: '{from}부터 {count}회',
  attempt_note: '{attempt}번째 시도',
  ready: '스케줄러 시작 (pid {pid}).',
  stopping: '스케줄러를 멈춥니다. 실행 중: {jobs}',
  starting: '{job} {date}: 시작 ({trigger})',
  ended: '{job} {date}: {state}, 종료 {exit}, {seconds}초, {file}',
  missed: '{job}: {from}부터 {to}까지 {count}회 실행되지 않았습니다 (MISSED)',
  overlap: '{job} {date}: {earlier} 실행이 아직 끝나지 않아 건너뜁니다 (OVERLAP)',
  abandoned: '{job} {date}: {host}의 프로세스 {pid}이(가) 실행 도중 사라졌습니다 (ABANDONED)',
  orphan_ended:
    '{job} {date}: {host}의 프로세스 {pid}은(는) 사라지고 실행만 제한 시간을 넘겨 종료시켰습니다 (TIMED_OUT)',
  not_started: '{job} {date}: 시작하지 못했습니다: {cause}. npm run {job}',
  not_recorded: '{job}: 결과를 기록하지 못해 다시 시도합니다: {cause}',
  tick_failed: '일정을 확인하지 못했습니다: {cause}. npm run schedule -- history',
  clock_moved: '경고: 시계가 {seconds}초 움직였습니다',
  clock_distrusted: '시계가 하루 넘게 앞으로 뛰어 {seconds}초 동안 아무것도 시작하지 않습니다',
  taken:
    '{job} {date}: 이미 {state} ({trigger}, {host}의 프로세스 {pid}, {when}). npm run schedule -- history --job {job}',
  going: '{job}: 다른 프로세스가 실행 중입니다. npm run schedule -- history --job {job}',
  outside: '{job} {date}: 실행 가능한 시간이 지났습니다. npm run {job}',
} as const

const en: SameKeys<typeof ko> = {
  usage: `Usage: npm run schedule -- COMMAND [options]

Commands (none: stay and keep the schedule):
  show               the schedule and its crontab lines
  next [-n N]        the next runs
  history [-n N]     what ran. --job JOB: of one job
  run JOB            the job's latest due run; each runs once, whoever starts it
  run --due          every run that was due and did not happen

Options: --format table|markdown|json|html, --lang ko|en,
         --by cron|hand (who calls run), --help
Exit codes: of run: the job's own; 75 it has run, is running, or is too late,
            64 usage, 78 bad configuration, 124 deadline, 3 unknown
Promise: at most one run per due time. Only a run that was cut off is tried once
more.
`,
  bad_usage: 'Bad command: {problem}. npm run schedule -- --help',
  bad_config: 'The configuration is wrong. Correct .env, then: npm run schedule',
  bad_ledger: 'The ledger cannot be opened: {cause}. ls -l {file}',
  lost: "Warning: {what}. Today's checks may run again",
  title_show: 'Schedule',
  title_next: 'Next runs',
  title_history: 'Runs',
  job: 'Job',
  at: 'At',
  due: 'Due',
  cron: 'Cron',
  catch_up: 'Catch-up',
  deadline: 'Deadline',
  state: 'State',
  by: 'By',
  took: 'Took',
  exit: 'Exit',
  note: 'Note',
  crontab: 'crontab',
  weekdays: 'Mon,Tue,Wed,Thu,Fri,Sat,Sun',
  hours: '{n} h',
  minutes: '{n} min',
  seconds: '{n} s',
  empty: 'Nothing has run yet.',
  missed_note: '{count} from {from}',
  attempt_note: 'attempt {attempt}',
  ready: 'The scheduler is running (pid {pid}).',
  stopping: 'The scheduler stops. Running: {jobs}',
  starting: '{job} {date}: starting ({trigger})',
  ended: '{job} {date}: {state}, exit {exit}, {seconds} s, {file}',
  missed: '{job}: {count} {count|run|runs} from {from} to {to} did not happen (MISSED)',
  overlap: '{job} {date}: skipped, the run of {earlier} is still going (OVERLAP)',
  abandoned: '{job} {date}: process {pid} on {host} vanished during the run (ABANDONED)',
  orphan_ended: '{job} {date}: process {pid} on {host} vanished, and its run was ended past its deadline (TIMED_OUT)',
  not_started: '{job} {date}: not started: {cause}. npm run {job}',
  not_recorded: '{job}: the result could not be recorded, trying again: {cause}',
  tick_failed: 'The schedule could not be checked: {cause}. npm run schedule -- history',
  clock_moved: 'Warning: the clock moved by {seconds} s',
  clock_distrusted: 'The clock leapt forward by more than a day; nothing is started for {seconds} s',
  taken:
    '{job} {date}: already {state} ({trigger}, process {pid} on {host}, {when}). npm run schedule -- history --job {job}',
  going: '{job}: another process is running it. npm run schedule -- history --job {job}',
  outside: '{job} {date}: the time in which it can be run is over. npm run {job}',
}

export const scheduleWords = words(ko, en)
