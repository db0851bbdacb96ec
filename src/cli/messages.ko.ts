import type { Messages } from './messages.ts'

export const ko: Messages = {
  status: { pending: '대기 중', approved: '승인됨', rejected: '거부됨', expired: '만료됨', cancelled: '취소됨' },
  span: {
    seconds: (n) => `${n}초`,
    minutes: (n) => `${n}분`,
    hours: (n) => `${n}시간`,
    days: (n) => `${n}일`,
  },
  since: (what, span) => `${what} ${span} 전`,
  left: (clock) => `${clock} 남음`,
  fieldWidth: 10,
  field: {
    request: '요청',
    status: '상태',
    level: '등급',
    server: '서버',
    tool: '도구',
    requester: '요청자',
    reason: '요청 사유',
    requested: '요청 시각',
    expires: '만료 시각',
    decided: '결정',
    because: '결정 사유',
    consumed: '사용 시각',
    digest: '다이제스트',
    arguments: '인자 전체',
    argumentsHidden: '인자(비밀은 가림)',
  },

  hidden: (n) =>
    `! 비밀로 보이는 값 ${n}개를 가렸습니다. 승인 전에 모두 확인하십시오: show ID --reveal (데스크에서는 v)`,
  usage: {
    unknownCommand: (name, hint) => `"${name}" 명령이 없습니다${hint ? `. 혹시 "${hint}"?` : '.'}`,
    incomplete: (name, full) => `"${name}" 뒤에 한 단어가 더 필요합니다: ${full.join(', ')}.`,
    unknownOption: (name, hint) => `여기에는 ${name} 옵션이 없습니다${hint ? `. 혹시 ${hint}?` : '.'}`,
    needsValue: (name) => `${name}에 값이 필요합니다.`,
    takesNoValue: (name) => `${name}에는 값을 줄 수 없습니다.`,
    dashValue: (name, value) => `${name}에 값이 필요합니다. ${value}가 값이라면 ${name}=${value}로 쓰십시오.`,
    missingWord: (usage) => `빠진 것이 있습니다. 형식: ${usage}.`,
    extraWord: (word, usage) => `"${word}"는 필요 없습니다. 형식: ${usage || '더 없음'}.`,
    oneOf: (name, allowed) => `${name}: 허용되는 값은 ${allowed}입니다.`,
    wholeNumber: (name, min, max) => `${name}: ${min}부터 ${max}까지의 정수만 허용됩니다.`,
    badId: (id) => `"${id}"는 요청 ID가 아닙니다. 전체 ID나 앞 8자리 이상의 16진수를 주십시오.`,
  },
  identity: {
    unknown: (user, path, known) => `${path}에 ${user}의 토큰이 없습니다. 있는 사용자: ${known.join(', ') || '없음'}.`,
    unknownNext: '--as USER 또는 APPROVAL_TOKEN',
    noFile: (path) => `${path} 파일이 없습니다. 서버가 처음 시작할 때 만듭니다.`,
    noFileNext: 'npm start 또는 APPROVAL_TOKEN',
    unreadable: (path, why) => `${path} 파일을 읽을 수 없습니다(${why}).`,
    unreadableNext: 'APPROVAL_TOKEN',
    malformed: (path) => `${path} 파일이 {"사용자": "토큰"} 형식의 JSON이 아닙니다.`,
    badToken: (where) => `${where}의 토큰에 토큰일 수 없는 문자가 있습니다.`,
  },

  problem: (code, detail, facts, time) => {
    switch (code) {
      case 'already_decided': {
        const what = facts.decision === 'rejected' ? '거부' : '승인'
        return `${facts.decided_by}님이 ${time(facts.decided_at)}에 이미 ${what}했습니다${facts.reason ? `: ${facts.reason}` : ''}.`
      }
      case 'expired':
        return facts.expired_at
          ? `${time(facts.expired_at)}에 만료되었습니다. 다시 요청해야 합니다.`
          : `만료되었습니다: ${detail}.`
      case 'cancelled':
        return '요청자가 취소한 요청입니다.'
      case 'self_approval':
        return '자기가 한 요청은 자기가 결정할 수 없습니다. 다른 사람이 결정해야 합니다.'
      case 'role':
        return facts.required_role
          ? `권한이 없습니다. 필요한 역할: ${facts.required_role}.`
          : `권한이 없습니다: ${detail}.`
      case 'unauthenticated':
        return `서버가 이 토큰을 받아들이지 않습니다: ${detail}.`
      case 'not_found':
        return `찾을 수 없습니다: ${detail}.`
      case 'ambiguous_id':
        return '그 앞자리로 시작하는 요청이 여럿입니다. 더 많은 자리를 주십시오.'
      case 'user_exists':
        return `이미 있는 사용자입니다: ${detail}.`
      case 'too_large':
        return `요청이 너무 큽니다: ${detail}.`
      case 'queue_full':
        return `${facts.open}건이 대기 중이어서 한도(${facts.max_pending}건)가 찼습니다. 몇 건이 결정된 뒤에, 빨라도 ${facts.retry_after}초 뒤에 다시 시도하십시오.`
      case 'rate_limited':
        return `이 도구의 호출 한도(60초에 ${Number(facts.per_minute) + Number(facts.burst)}번)를 다 썼습니다. ${facts.retry_after}초 뒤에 다시 시도하십시오.`
      case 'store_unavailable':
        return `서버가 데이터베이스를 쓸 수 없습니다: ${detail}.`
      case 'shutting_down':
        return '서버가 종료되는 중입니다. 요청은 그대로 남습니다.'
      case 'not_approval_ops':
        return `${detail}: approval-ops 서버의 응답이 아닙니다.`
      default:
        return `서버가 받아들이지 않았습니다(${code}): ${detail}.`
    }
  },
  unreachable: (url, why) => `${url}의 서버가 응답하지 않습니다(${why}).`,
  unknownOutcome: (url, why) => `응답이 오기 전에 ${url} 연결이 끊겼습니다(${why}). 처리되었는지 알 수 없습니다.`,
  interrupted: (signal) => `중단되었습니다(${signal}).`,
  cutOff: (signal) =>
    `응답이 오기 전에 중단되었습니다(${signal}). 도구가 실행되었는지, 도중에 멈췄는지 알 수 없습니다.`,
  internal: (what) => `이 프로그램이 실패했습니다: ${what}.`,
  notATerminal: '물어볼 터미널이 없습니다.',
  badConfig: '설정을 쓸 수 없습니다',

  request: {
    created: (id, level, tool, clock) => `${id} ${level} ${tool}: 결정을 기다립니다. ${clock} 남음.`,
    joined: (id) => `같은 호출이 이미 대기 중이어서 ${id}에 합류했습니다.`,
    waiting: (id, tool, clock) => `${id} ${tool}  ${clock}  Ctrl-C: 그만 기다리기(요청은 남음)`,
    lost: (why) => `서버와 연결이 끊겼습니다(${why}). 요청은 남아 있습니다. 다시 시도합니다.`,
    found: '서버가 돌아왔습니다. 계속 기다립니다.',
    bothArguments: '--args와 --args-file은 함께 쓸 수 없습니다.',
    notJson: (why) => `인자가 JSON이 아닙니다: ${why}.`,
    notObject: '인자는 JSON 객체여야 합니다. 예: {"code":"print(1)"}.',
    unreadable: (file, why) => `${file} 파일을 읽을 수 없습니다(${why}).`,
    notUtf8: (file) => `${file} 파일이 UTF-8이 아닙니다.`,
    notRequired: (tool, level) => `승인 불필요: ${tool}의 등급은 ${level}입니다`,
    bypassed: (tool, level) => `승인 없이 통과: ${tool}의 등급은 ${level}이고 게이트가 꺼져 있습니다`,
    bypassedWarning: '경고: 게이트가 꺼져 있습니다. 아무도 이 호출을 승인하지 않았으며, 우회로 기록됩니다.',
  },
  call: {
    failed: '도구가 실행되었지만 실패했습니다.',
    broke: (why) => `호출이 실패했습니다: ${why}`,
    unavailable: (why) => `실행되지 않았습니다: ${why}`,
    unknownTool: (why) => `실행되지 않았습니다: ${why}`,
    otherContent: (type, what) => `[${type} ${what}: --format json으로 볼 수 있습니다]`,
  },
  tools: {
    head: ['도구', '서버', '등급', '설명'],
    none: '호출할 수 있는 도구가 없습니다. mcp.json의 어느 도구 서버도 도구를 제공하지 않습니다.',
    notUp: (names) => `지금 쓸 수 없어 도구를 표시하지 못한 서버: ${names}. npm run daily-check`,
  },
  outcome: {
    approved: (who, why) => `${who}님이 승인: ${why}`,
    rejected: (who, why) => `${who}님이 거부: ${why}`,
    expired: '만료됨: 제때 결정한 사람이 없습니다',
    cancelled: '취소됨',
    notApproved: (id, status) => `${id}: ${status}. 호출을 실행하면 안 됩니다.`,
    stillPending: (id) => `${id}: 아직 대기 중입니다.`,
    serverGone: (id) => `서버가 돌아오지 않아 ${id}의 결과를 알 수 없습니다.`,
  },
  list: {
    head: ['ID', '도구', '등급', '요청자', '경과', '남음', '인자'],
    none: '대기 중인 요청이 없습니다.',
    noneAtAll: '요청이 없습니다.',
    more: (shown, count) => `${count}건 중 ${shown}건을 표시했습니다.`,
  },
  decide: {
    reasonPrompt: (id) => `${id}: 사유는 무엇입니까?`,
    reasonMissing: '결정에는 사유가 필요합니다(--reason).',
    reasonEmpty: '사유를 1자에서 2000자로 쓰십시오.',
    done: (id, status, tool) => `${id} ${status} (${tool})`,
    tooMany: '한 번에 100건까지입니다.',
  },
  watch: {
    title: (count, url) => `대기 ${count}건  ${url}`,
    keys: 'q 끝내기',
    lost: (why) => `연결 끊김(${why}), 다시 시도 중`,
    found: '다시 연결됨',
    more: (n) => `... 외 ${n}건`,
    event: (type) => EVENTS[type] ?? type,
  },
  desk: {
    choose: (count) => `대기 ${count}건. 고르십시오 (l 새로 고침, q 끝내기)`,
    news: (n) => `새 요청 ${n}건: l을 누르십시오`,
    lost: '연결 끊김, 다시 시도 중',
    empty: '대기 중인 요청이 없습니다. 새 요청은 저절로 나타납니다',
    refresh: '목록 새로 고침',
    approve: '승인',
    reject: '거부',
    skip: '건너뛰고 다음 요청',
    reveal: '가린 값 보기',
    list: '목록으로',
    quit: '끝내기',
    decideOn: (id, clock) => `${id}  ${clock} 남음`,
    why: (verb, id) => `${id} ${verb} 사유는 무엇입니까? (Esc: 뒤로)`,
    long: (lines) => `${lines}줄입니다. 위로 올려 모두 읽으십시오.`,
    meanwhile: (id, what) => `그 사이 ${id}: ${what}.`,
    gone: '없음',
  },
  users: {
    head: ['사용자', '역할', '활성', '토큰', '이름'],
    yes: '예',
    no: '아니요',
    added: (id, role) => `${id}(${role})를 추가했습니다. 토큰은 지금 한 번만 보입니다. 안전하게 전달하십시오.`,
    newToken: (id) => `${id}의 새 토큰입니다. 지금 한 번만 보이며, 이전 토큰은 무효입니다.`,
    saved: (path) => `${path}에 저장했습니다.`,
    saveFailed: (path, why) => `토큰을 ${path}에 저장하지 못했습니다(${why}).`,
    disabled: (id) => `${id} 사용자를 즉시 차단했습니다.`,
    enabled: (id) => `${id} 사용자의 차단을 풀었습니다.`,
  },
  policy: {
    level: (tool, level, needs) => `${tool}: ${level}, ${needs ? '사람의 승인을 기다림' : '바로 실행'}`,
    decided: (rule, line) => `적용된 규칙: ${rule} (${line}행)`,
    unnamed: '해당하는 규칙이 없어 HIGH로 처리합니다',
    alsoFits: (rule, level, line) => `해당하지만 순위가 낮은 규칙: ${rule} ${level} (${line}행)`,
    head: ['도구', '등급', '호출', '현재/일', '변경 후/일'],
    total: (before, after) => `하루 승인 건수: 현재 ${before}건, 변경 후 ${after}건.`,
    covers: (since, days) =>
      `${since}부터 기록된 호출 기준(${days === undefined ? '하루가 안 되어 하루로 셈' : `${days}일`}), 모의 승인 제외.`,
    unknown: (tool, from, to) =>
      `${tool} ${from} -> ${to}: 비용을 알 수 없음. 승인이 필요 없던 동안의 호출은 기록되지 않았습니다.`,
    unrecorded: 'LOW와 MEDIUM 도구의 호출은 기록에 남지 않으므로 이 수치에 포함되지 않습니다.',
  },
  audit: {
    ok: (events) => `기록이 온전합니다: 이벤트 ${events}건.`,
    okArchived: (events, archives) => `기록이 온전합니다: 보관 파일 ${archives}개와 데이터베이스의 이벤트 ${events}건.`,
    missing: (file) => `${file}: 보관 파일이 없어 검사하지 못했습니다`,
    incomplete: (n, events) => `보관 파일 ${n}개가 없습니다. 있는 것은 온전합니다: 이벤트 ${events}건.`,
    head: (seq, hash) => `마지막 ${seq} ${hash}`,
    problem: (where, what) => `${where}: ${what}`,
    broken: (n) => `기록이 온전하지 않습니다: 문제 ${n}건.`,
  },

  help: {
    usage: '사용법',
    commands: '명령',
    options: '옵션',
    examples: '예',
    exitCodes: '종료 코드',
    more: (self) => `자세한 것은 ${self} COMMAND --help`,
    intro: '명령줄의 승인 데스크입니다. 명령 없이 실행하면 대화형입니다: 요청을 고르고, 읽고, 결정합니다.',
    command: {
      '': '대기 중인 요청을 골라 전부 읽고 승인하거나 거부',
      call: '게이트를 거쳐 도구를 호출하고 결과를 출력, 승인이 필요하면 결정을 기다림',
      tools: '호출할 수 있는 도구: 이름, 서버, 등급, 설명',
      request: '호출 하나의 승인을 요청하고 결정을 기다림',
      list: '대기 목록, 남은 시간이 적은 순',
      show: '요청 하나의 모든 것, 인자 포함(비밀은 가림)',
      approve: '요청을 승인: 여럿이면 전부 아니면 전무',
      reject: '요청을 거부: 여럿이면 전부 아니면 전무',
      cancel: '요청을 거두어들임',
      watch: '바뀌는 대기 목록을 계속 표시, 파이프에서는 변화마다 한 줄',
      gateway: '명령을 실행하는 호스트를 위한 MCP 서버: mcp.json의 도구를 게이트 뒤에서 제공',
      'users add': '사용자를 추가하고 토큰을 출력',
      'users disable': '사용자를 즉시 차단',
      'users enable': '사용자의 차단을 해제',
      'users token': '새 토큰 발급, 이전 토큰은 끝',
      'users list': '모든 사용자',
      'policy explain': '도구에 어떤 정책 규칙이 적용되는지 설명',
      'policy forecast': '다른 정책 파일을 쓸 때의 하루 승인 건수를 기록된 호출로 계산',
      'audit verify': '기록 전체를 검사: 이벤트, 다이제스트, 결정',
    },
    option: {
      as: 'data/credentials.json에 토큰이 있는 USER로 행동 (APPROVAL_TOKEN보다 우선)',
      lang: 'ko 또는 en (OPS_LANG)',
      help: '이 도움말',
      version: '버전',
      args: '호출의 인자, JSON 객체',
      'args-file': '같은 것을 파일에서, -는 표준 입력',
      reason: '사유. 결정에는 필수',
      server: '도구가 있는 서버',
      timeout: '만료까지 초, APPROVAL_TIMEOUT 이하',
      'no-wait': 'ID를 출력하고 기다리지 않음',
      json: '서버가 보낸 그대로 JSON으로 출력',
      format: 'list: table 또는 json, call: text 또는 json',
      all: '대기 중이 아닌 것도, 최근 순',
      head: '저녁 보고에 적힌 기록의 끝(번호:해시): 지금 기록에 그대로 있어야 합니다',
      weeks: '최근 N주의 호출(기본 4, 1~52)',
      status: '이 상태만: pending, approved, rejected, expired, cancelled',
      limit: '최대 N건',
      reveal: '비밀로 보이는 값까지 표시',
      wait: '결정을 기다림. 종료 코드는 request와 같음',
      role: 'guest, developer, approver, admin 중 하나',
      name: '이름',
      save: '토큰을 data/credentials.json에 저장',
    },
    identity: (user) => `--as나 APPROVAL_TOKEN이 없으면 ${user}로 행동합니다.`,
  },
  exits: {
    done: '완료',
    shown: '표시함',
    ran: '도구가 실행됨',
    toolFailed: '도구가 실행되었지만 실패함',
    hostLeft: '호스트가 연결을 끝냄',
    mayRun: '승인됨 또는 승인 불필요: 호출을 실행해도 됨',
    rejected: '거부됨',
    closed: '만료됨 또는 취소됨',
    pending: '아직 대기 중. 마지막 줄의 명령으로 이어서 기다림',
    refused: '처리 안 됨, 바뀐 것 없음: 이미 결정됨, 만료됨, 없는 요청',
    refusedUser: '처리 안 됨, 바뀐 것 없음',
    whole: '기록이 온전함',
    broken: '기록이 바뀌었거나 잘림',
    incomplete: '있는 기록은 온전하나 보관 파일이 없음',
    usage: '잘못된 사용법',
    unreachable: '서버에 연결할 수 없거나 서버가 지금 받을 수 없음',
    notNow: '지금은 받지 않음, 바뀐 것 없음. 마지막 줄에 다시 시도할 때가 있음',
    notPermitted: '권한 없음',
    badConfig: '잘못된 설정',
  },
}

const EVENTS: Readonly<Record<string, string>> = {
  created: '요청',
  approved: '승인',
  rejected: '거부',
  expired: '만료',
  cancelled: '취소',
  consumed: '사용',
  bypassed: '승인 없이 통과',
  gate_off: '게이트 꺼짐',
  gate_on: '게이트 켜짐',
  config_reloaded: '설정 다시 읽음',
  server_started: '서버 시작',
  server_stopped: '서버 중지',
  user_added: '사용자 추가',
  user_disabled: '사용자 차단',
  user_enabled: '사용자 차단 해제',
  token_issued: '토큰 발급',
  adopted: '기존 DB 인수',
  changed_elsewhere: '다른 곳에서 변경',
  rollback: '롤백',
  restored: '백업에서 복원',
  archived: '오래된 기록 보관',
}
