/** 컨테이너에서 도는 서버에 대한 문장. 영어 파일에는 같은 키가 있다. */
export const ko = {
  found: '{directory} 폴더에서 {tool} {version}(으)로 띄운 {name} 컨테이너입니다({how}).',
  how_folder: '이 설정 파일이 있는 폴더의 서버',
  how_image: '이 폴더의 서버가 아니라 이 컴퓨터에 하나뿐인 approval-ops 서버',
  not_passed_on: '셸에 내보낸 {keys} 값은 넘기지 않습니다.',
  docker_missing: 'docker 명령이 없습니다. Docker CLI를 설치하거나 PATH를 확인하십시오: command -v docker',
  engine_down: 'Docker 엔진이 실행 중이 아닙니다({message}). 엔진을 시작하십시오: sudo systemctl start docker',
  engine_hangs:
    'Docker 엔진이 {seconds}초 안에 대답하지 않습니다. DOCKER_HOST와 엔진 상태를 확인하십시오: systemctl status docker',
  socket_forbidden:
    'Docker 소켓을 쓸 권한이 없습니다. docker 그룹의 계정이나 root로 다시 실행하십시오: sg docker -c "..."',
  compose_missing: 'docker compose도 docker-compose도 없습니다. 하나를 설치하십시오: apt-get install docker-compose',
  compose_refuses: 'compose가 자기 파일을 읽지 못합니다: {message}',
  service_gone: '{files} 파일에 {service} 서비스가 없습니다. 컨테이너를 만든 파일이 맞는지 확인하십시오',
  file_gone: '컨테이너를 만든 {file} 파일이 없습니다. 파일을 제자리에 돌려 놓은 뒤 다시 실행하십시오',
  several: '서버 컨테이너가 여럿이라 고를 수 없습니다: {list}. 남길 하나만 두고 나머지를 멈춰 지우십시오',
  gone: '{project} 프로젝트의 {service} 컨테이너가 없습니다. 먼저 띄우십시오: {command}',
  paused: '{name} 컨테이너가 일시 정지 상태입니다. 먼저 푸십시오: docker unpause {name}',
  image_gone: '{image} 이미지가 없어 컨테이너를 다시 만들 수 없습니다. 되살리십시오: docker tag {id} {image}',
  image_moved:
    '{image}의 이미지가 컨테이너가 쓰는 것과 다릅니다. 롤백으로 다른 버전을 배포하지 않습니다. 고정하십시오: docker tag {id} {image}',
  fixed_by_file: '{files}이(가) {key} 값을 정하므로 {env}의 값은 쓰이지 않습니다',
  up_failed: 'compose가 컨테이너를 다시 만들지 못했습니다: {message}',
  not_settled: '컨테이너가 compose 설정과 다릅니다: {state}',
  half_made: '다시 만드는 중에 끊긴 컨테이너가 남아 있습니다({names})',
  not_taken_over: '컨테이너의 {keys} 값이 compose가 정한 값과 다릅니다',
  keeps_ending: '서버가 시작한 뒤 자꾸 끝납니다(종료 코드 {code}, 재시작 {n}번). 마지막 로그: {log}',
  has_ended: '서버가 끝났습니다(상태 {state}, 종료 코드 {code}). 마지막 로그: {log}',
  snapshot_failed: '컨테이너의 {what} 기록을 남기지 못했습니다: {message}',
  not_handed_over: '결과를 컨테이너의 서버 기록에 넘기지 못했습니다: {message}',
  starts: '컨테이너가 멈춰 있습니다({state}). 이 롤백이 다시 시작합니다.',
} as const
