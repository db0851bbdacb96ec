import type { Config } from './config.ts'
import type { Desk } from './desk.ts'
import { EXIT } from './exit-codes.ts'
import type { Lang } from './report/document.ts'

const HELP_EN = `Usage: npm start [-- --no-scheduler | --new-token USER]

Starts the approval desk: the server and, as its own process, the scheduler.

  --no-scheduler    only the server
  --new-token USER  a new token for USER into credentials.json (it was lost, or
                    the administrator is locked out)
  --version         print the version
  --help            print this

Signals: SIGTERM, SIGINT stop; SIGHUP reads .env and the policy again.
Exit codes: ${EXIT.OK} stopped, ${EXIT.USAGE} usage, ${EXIT.BAD_CONFIG} configuration, database, policy or port
cannot be used
`

const HELP_KO = `사용법: npm start [-- --no-scheduler | --new-token USER]

승인 데스크를 시작합니다: 서버와, 따로 도는 프로세스인 스케줄러.

  --no-scheduler    서버만
  --new-token USER  USER의 새 토큰을 credentials.json에 저장합니다(토큰을
                    잃었거나 관리자가 잠겼을 때)
  --version         버전
  --help            이 도움말

신호: SIGTERM, SIGINT는 정지, SIGHUP은 .env와 정책을 다시 읽음
종료 코드: ${EXIT.OK} 정지함, ${EXIT.USAGE} 잘못된 옵션, ${EXIT.BAD_CONFIG} 설정, 데이터베이스, 정책, 포트를 쓸 수
없음
`

interface Started {
  readonly config: Config
  readonly port: number
  readonly desk: Pick<Desk, 'newUsers' | 'lostDatabase' | 'adopted' | 'gate'>
  readonly credentials: string
}

const TEXTS = {
  en: {
    gateOff: (until: string) => `WARNING: the gate is off ${until}: dangerous tools run without approval`,
    untilSomeone: 'until someone turns it on',
    until: (instant: string) => `until ${instant}`,
    claim: 'WARNING: APPROVAL_TRUST_USER_HEADER=true: every program on this machine may claim to be anyone',
    rbac: 'WARNING: RBAC_ENABLED=false: everyone may ask, see and decide',
    adopted: (path: string) => `Adopted the database of the old system; verified backup: ${path}`,
    lost: (path: string) =>
      `WARNING: ${path} was missing or empty; a new one was made. Restore a backup if that is a surprise`,
    users: (names: string, path: string) => `Created tokens for ${names} in ${path}`,
    next: 'In a second terminal:',
    ask: '   (asks, and waits)',
    decide: '   (the waiting list: a approves, r rejects)',
    check: '   (is everything well?)',
    help: HELP_EN,
    badOption: (problem: string) => `Bad option: ${problem}. npm start -- --help`,
    badConfig: (n: number, file: string) =>
      `The configuration is wrong (${n} ${n === 1 ? 'problem' : 'problems'} above). Correct ${file}. vi ${file}`,
    taken: (port: number) =>
      `port ${port} is taken by another program: stop that one, or set PORT to a free port. npm run daily-check`,
    notStarted: (why: string) => `The server did not start: ${why}. npm run daily-check`,
    failed: (log: string) => `The server failed; its log is ${log}. npm start`,
    token: (user: string, path: string) => `A new token for ${user} is in ${path}`,
    noToken: (why: string) => `No token was issued: ${why}. npm start -- --help`,
  },
  ko: {
    gateOff: (until: string) => `주의: 승인 게이트가 꺼져 있습니다(${until}). 위험한 도구가 승인 없이 실행됩니다`,
    untilSomeone: '다시 켤 때까지',
    until: (instant: string) => `${instant}까지`,
    claim: '주의: APPROVAL_TRUST_USER_HEADER=true: 이 컴퓨터의 모든 프로그램이 누구로든 행세할 수 있습니다',
    rbac: '주의: RBAC_ENABLED=false: 누구나 요청, 조회, 결정할 수 있습니다',
    adopted: (path: string) => `이전 시스템의 데이터베이스를 이어받았습니다. 검증된 백업: ${path}`,
    lost: (path: string) =>
      `주의: ${path}이(가) 없거나 비어 있어 새로 만들었습니다. 예상하지 못했다면 백업을 복원하십시오`,
    users: (names: string, path: string) => `${names}의 토큰을 ${path}에 만들었습니다`,
    next: '다른 터미널에서:',
    ask: '   (승인을 요청하고 기다립니다)',
    decide: '   (대기 목록: a 승인, r 거부)',
    check: '   (모두 정상인지 점검합니다)',
    help: HELP_KO,
    badOption: (problem: string) => `잘못된 옵션: ${problem}. npm start -- --help`,
    badConfig: (n: number, file: string) => `설정이 잘못되었습니다(위 ${n}건). ${file} 파일을 고치십시오. vi ${file}`,
    taken: (port: number) =>
      `${port}번 포트는 다른 프로그램이 쓰고 있습니다. 그 프로그램을 멈추거나 PORT를 비어 있는 포트로 바꾸십시오. npm run daily-check`,
    notStarted: (why: string) => `서버를 시작하지 못했습니다: ${why}. npm run daily-check`,
    failed: (log: string) => `서버가 오류로 멈췄습니다. 로그는 ${log} 파일에 있습니다. npm start`,
    token: (user: string, path: string) => `${user}의 새 토큰을 ${path}에 저장했습니다`,
    noToken: (why: string) => `토큰을 발급하지 않았습니다: ${why}. npm start -- --help`,
  },
} as const

/** What the server says in the operator's language before it is up, and when it does not come up. */
export const serverWords = (lang: Lang) => TEXTS[lang]

/** What the operator sees when the server is up: where it is, what is unusual, what to type next. */
export function banner({ config, port, desk, credentials }: Started): string {
  const { settings } = config
  const text = TEXTS[settings.OPS_LANG]
  const host = settings.HOST.includes(':') ? `[${settings.HOST}]` : settings.HOST
  const lines = [`approval-ops http://${host}:${port}  ${settings.SECURITY_DB_PATH}`]
  const gate = desk.gate()
  if (!gate.on) {
    lines.push(text.gateOff(gate.until === null ? text.untilSomeone : text.until(new Date(gate.until).toISOString())))
  }
  if (settings.APPROVAL_TRUST_USER_HEADER) lines.push(text.claim)
  if (!settings.RBAC_ENABLED) lines.push(text.rbac)
  lines.push(...config.warnings)
  if (desk.lostDatabase) lines.push(text.lost(settings.SECURITY_DB_PATH))
  if (desk.adopted) lines.push(text.adopted(desk.adopted.backup))
  if (desk.newUsers.length > 0) lines.push(text.users(desk.newUsers.join(', '), credentials))
  const ask = `npx approval request execute_python --args '{"code":"print(1)"}'`
  lines.push(text.next, `  ${ask}${text.ask}`, `  npx approval${text.decide}`, `  npm run daily-check${text.check}`)
  return `${lines.join('\n')}\n`
}
