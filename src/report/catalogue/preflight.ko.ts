/**
 * The deployment check in Korean, in the words of the team's guide. `item.*` are its steps and its list; sentences that
 * the daily check has too are taken from there. The English file has the same keys.
 */
export const ko = {
  title: '배포 점검, {now} ({zone}) 기준',
  ready: '배포 준비 완료: 최종 체크리스트 {n}개 항목 모두 확인',
  not_ready: '배포 준비 안 됨: 최종 체크리스트 {of}개 중 {open}개, 배포 절차 3단계 중 {steps}개가 확인되지 않았습니다',
  steps: '배포 절차',
  items: '운영팀 최종 체크리스트',
  line: '{item}: {value}',
  aged: '{text} ({age} 전)',
  days: '{n}일',

  'item.step_environment': 'Step 1 환경 변수 설정',
  'item.step_service': 'Step 2 서비스 시작',
  'item.step_function': 'Step 3 기능 검증',
  'item.environment': '환경 변수 설정 완료 (APPROVAL_WORKFLOW_ENABLED=true)',
  'item.backup': '데이터베이스 백업 생성',
  'item.rollbacks': '롤백 절차 스크립트 준비',
  'item.training': '운영팀 전원 교육 완료',
  'item.cli': 'approval_cli.py 도구 테스트 성공',
  'item.queries': '로그 조회 쿼리 동작 확인',
  'item.daily_check': '일일 점검 스크립트 설정',
  'item.daily_report': '일일 보고 스크립트 설정',
  'item.contacts': '긴급 연락처 공유 완료',
  'item.gate': '승인 워크플로우 활성화 최종 확인',

  'environment.clean': '설정 {keys}개의 형식과 범위가 맞고, 중복이나 모르는 키가 없습니다 ({file})',
  'environment.default': '{file} 파일이 없어 모두 기본값입니다',
  'environment.remarks': '{remarks}',
  'environment.gate_on': 'APPROVAL_WORKFLOW_ENABLED=true',
  'environment.gate_off': '설정에서 게이트가 꺼져 있습니다 (APPROVAL_WORKFLOW_ENABLED, APPROVAL_DISABLED_UNTIL)',

  'copy.verified': '{taken_at}에 만든 백업을 복원해 검증했습니다',
  'copy.old': '마지막으로 검증된 백업이 24시간보다 오래되었습니다: {taken_at}',
  'copy.none': '검증된 백업이 없습니다',
  'copy.interrupted': '복원이 도중에 끊겼습니다',

  'plan.planned': 'rollback-{scenario} 계획 가능',
  'plan.refused': 'rollback-{scenario} 계획 불가: {message}',
  'rehearsal.passed': 'rollback-{scenario} 연습 성공: 적용 {apply_seconds}초, 되돌리기 {undo_seconds}초',
  'rehearsal.failed': 'rollback-{scenario} 마지막 연습이 실패했습니다: {message}',
  'rehearsal.old': 'rollback-{scenario} 연습이 90일보다 오래되었습니다',
  'rehearsal.never': 'rollback-{scenario} 연습 기록이 없습니다',

  'attested.valid': '확인한 사람: {by}, {until}까지 유효',
  'attested.none': '확인한 사람이 없습니다',
  'attested.expired': '확인의 유효 기간이 {until}에 끝났습니다 (확인한 사람: {by})',
  'attested.edited': '확인 기록이 서명과 맞지 않습니다: {path} {line}행',
  'attested.no_key': '서명 키가 없어 확인 기록을 검증할 수 없습니다: {path}',

  'tool.works': 'npx approval list가 서버에서 대기 요청 {open}건을 읽었습니다 ({took_millis})',
  'tool.failed': 'npx approval list 실패 (종료 코드 {exit_code}): {message}',

  'sql.works': '어제 통계 쿼리 정상 (요청 {total}건)',
  'sql.failed': '통계 쿼리를 실행할 수 없습니다',
  'sql.shell': 'sqlite3 한 줄 쿼리 정상 (대기 {rows}건)',
  'sql.no_shell': 'sqlite3 명령이 없어 가이드의 한 줄 쿼리를 쓸 수 없습니다',
  'sql.shell_failed': 'sqlite3 한 줄 쿼리 실패: {message}',

  'schedule.alive': '다음 실행 {next_at}, 스케줄러 확인',
  'schedule.stopped': '스케줄러가 멈췄습니다',
  'schedule.never': '스케줄러나 cron이 돈 기록이 없습니다',
  'schedule.unknown_job': '스케줄러가 아직 이 작업을 모릅니다',
  'schedule.unmeasured': '{cause}',

  'people.complete': '상황 {situations}개 모두 연락처가 있습니다',
  'people.no_phone': '전화번호가 없는 역할: {roles}',
  'people.broken': '연락처 파일이 잘못되었습니다: {problem}',

  'spoof.refused': '토큰 없이 X-User-ID만 보낸 요청과 이전 시스템의 기본 키를 거절합니다',
  'spoof.accepted': '거절해야 할 요청이 통과했습니다: {what} (HTTP {status}). 누구나 승인자 행세를 할 수 있습니다',
  'spoof.unmeasured': '사칭 거절을 확인할 수 없습니다: {message}',

  summary: '배포 전에 가이드의 3단계와 최종 체크리스트 10개 항목을 증거와 함께 확인합니다',
  help_no_drill: '모의 승인을 생략합니다 (생략한 항목은 확인 불가로 남습니다)',
  attest_usage: '사용법: npm run preflight -- attest training|contacts --by 이름 [--valid-days N]',
  attest_bad: '{problem}. npm run preflight -- attest training|contacts --by 이름',
  attest_item: '{given}: 항목은 training 또는 contacts입니다',
  attest_by: '--by: 확인한 사람의 이름을 1~100자로 적어야 합니다',
  attest_done: '{item}: {by}의 확인을 기록했습니다. {until}까지 유효합니다 ({path})',
  attest_failed: '기록하지 못했습니다: {problem}. ls -ld {path}',
} as const
