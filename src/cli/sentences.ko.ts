type Facts = Readonly<Record<string, unknown>>
/** The text of an instant, on the team's clock. */
type Time = (iso: unknown) => string

/**
 * The desk speaks English, and its codes are what programs decide by. These are its sentences in Korean, by code, facts
 * and, where one code has several, by how they begin; without their full stop. undefined: one that is not known here.
 */
export function inKorean(code: string, detail: string, facts: Facts, time: Time): string | undefined {
  switch (code) {
    case 'already_decided': {
      const what = facts.decision === 'rejected' ? '거부' : '승인'
      return `${facts.decided_by}님이 ${time(facts.decided_at)}에 이미 ${what}했습니다${facts.reason ? `: ${facts.reason}` : ''}`
    }
    case 'expired':
      if (facts.expired_at) return `${time(facts.expired_at)}에 만료되었습니다. 다시 요청해야 합니다`
      return facts.ttl_seconds
        ? `승인된 지 ${facts.ttl_seconds}초가 지나 쓸 수 없는 승인입니다. 다시 요청해야 합니다`
        : undefined
    case 'consumed':
      return facts.consumed_at
        ? `${time(facts.consumed_at)}에 이미 쓴 승인입니다. 승인은 한 번만 쓸 수 있습니다`
        : '같은 호출이 먼저 쓴 승인입니다. 승인은 한 번만 쓸 수 있습니다'
    case 'cancelled':
      return '요청자가 취소한 요청입니다'
    case 'self_approval':
      return '자기가 한 요청은 자기가 결정할 수 없습니다. 다른 사람이 결정해야 합니다'
    case 'not_approved':
      return `승인된 요청이 아닙니다(${facts.status})`
    case 'digest_mismatch':
      return '다른 호출에 대한 승인입니다. 인자, 도구 또는 서버가 다릅니다'
    case 'decision_unverified':
      return '데스크에서 결정된 승인이 아니라 쓸 수 없습니다. 다른 곳에서 데이터베이스에 쓴 행입니다'
    case 'role':
      if (facts.required_role) return `권한이 없습니다. 필요한 역할: ${facts.required_role}`
      return only(/^only (\S+), who asked,/, detail, (user) => `이 승인은 요청한 ${user}만 쓸 수 있습니다`)
    case 'unauthenticated':
      return unauthenticated(detail)
    case 'not_found':
      return notFound(detail)
    case 'forbidden_origin':
      return '이 서버는 127.0.0.1이나 localhost라는 이름으로만 부를 수 있습니다'
    case 'ambiguous_id':
      return '그 앞자리로 시작하는 요청이 여럿입니다. 더 많은 자리를 주십시오'
    case 'user_exists':
      return '이미 있는 사용자입니다. 토큰이 필요하면 새로 발급하십시오'
    case 'last_admin':
      return '로그인할 수 있는 마지막 관리자입니다. 먼저 다른 관리자를 추가하십시오'
    case 'too_large':
      return only(/(\d+) bytes/, detail, (bytes) => `요청이 너무 큽니다. ${bytes}바이트까지 보낼 수 있습니다`)
    case 'queue_full':
      return `${facts.open}건이 대기 중이어서 한도(${facts.max_pending}건)가 찼습니다. 몇 건이 결정된 뒤에, 빨라도 ${facts.retry_after}초 뒤에 다시 시도하십시오`
    case 'rate_limited':
      return `이 도구의 호출 한도(60초에 ${Number(facts.per_minute) + Number(facts.burst)}번)를 다 썼습니다. ${facts.retry_after}초 뒤에 다시 시도하십시오`
    case 'store_unavailable':
      return `서버가 데이터베이스를 쓸 수 없습니다(${storeFailure(detail)}). 바뀐 것은 없습니다`
    case 'shutting_down':
      return '서버가 종료되는 중입니다. 요청은 그대로 남습니다'
    case 'upstream_unavailable':
      return `도구 서버 ${facts.server}에 연결할 수 없습니다${whyDown(detail)}`
    case 'upstream_error':
      return upstreamError(detail, facts)
    case 'approval_required':
      return approvalRequired(facts)
    default:
      return undefined
  }
}

function only(pattern: RegExp, detail: string, say: (found: string) => string): string | undefined {
  const found = pattern.exec(detail)?.[1]
  return found === undefined ? undefined : say(found)
}

function unauthenticated(detail: string): string | undefined {
  if (detail === 'unknown user or token') return '알 수 없는 사용자이거나 틀린 토큰입니다'
  return (
    only(/^(\S+) is disabled/, detail, (user) => `${user} 사용자는 차단되었습니다`) ??
    only(/role of (\S+) has changed/, detail, (user) => `${user} 사용자의 토큰이나 역할이 바뀌었습니다`)
  )
}

function notFound(detail: string): string | undefined {
  const [, what, name] = /^no (request|user|tool is named) ("(?:[^"\\]|\\.)*")/.exec(detail) ?? []
  if (what === undefined) return undefined
  if (what === 'user') return `그런 사용자가 없습니다: ${name}`
  if (what === 'request') return `그런 요청이 없습니다: ${name}. 전체 ID나 앞 8자리 이상을 주십시오`
  const elsewhere = only(/: it is offered as (.*?)(?: \(|$)/, detail, (names) => `. 이 이름으로 있습니다: ${names}`)
  const down = only(/\(not available now: (.*)\)/, detail, (names) => ` (지금 쓸 수 없는 서버: ${names})`)
  return `그런 도구가 없습니다: ${name}${elsewhere ?? ''}${down ?? ''}`
}

const STORE_FAILURES: readonly (readonly [RegExp, string])[] = [
  [/^another program holds/, '다른 프로그램이 잠그고 있음'],
  [/is full/, '디스크가 가득 참'],
  [/read-only/, '읽기 전용'],
  [/is damaged/, '손상됨'],
  [/the disk .* fails/, '디스크 오류'],
]
const storeFailure = (detail: string): string =>
  STORE_FAILURES.find(([pattern]) => pattern.test(detail))?.[1] ?? '응답 없음'

/** What the system says stays as it said it. */
const whyDown = (detail: string): string =>
  only(/ is not available: (.*)$/s, detail, (why) =>
    why === 'it is still starting' ? '. 아직 시작하는 중입니다' : `: ${why}`,
  ) ?? ''

/** What the tool server itself says stays as it said it. */
function upstreamError(detail: string, { server }: Facts): string {
  const [, rest = detail, id, nothing] = /^(.*); the approval (\w+) is used(, and nothing ran)?\./s.exec(detail) ?? []
  const what = /failed in the middle of the call/.test(rest)
    ? `${server} 서버가 호출 도중에 실패했습니다. 실행되었는지 알 수 없습니다`
    : nothing
      ? `도구 서버 ${server}에 연결할 수 없어 실행되지 않았습니다`
      : rest.replace(/^(\S+) answers: /, '$1 서버의 응답: ')
  return id === undefined ? what : `${what}. 승인 ${id}을(를) 썼으므로 같은 호출은 다시 승인받아야 합니다`
}

function approvalRequired({ request_id, approval_status, responder_id, reason }: Facts): string {
  const id = String(request_id).slice(0, 8)
  const how: Readonly<Record<string, string>> = {
    rejected: `${responder_id}님이 거부했습니다(${reason})`,
    expired: '제때 결정한 사람이 없어 만료되었습니다',
    cancelled: '요청자가 취소했습니다',
  }
  return `${id}: ${how[String(approval_status)] ?? approval_status}. 호출은 실행되지 않았습니다`
}
