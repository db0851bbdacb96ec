#!/bin/bash
# 명령어: bash ops/rollback_env.sh

echo "🔄 환경 변수 문제 해결..."

# 1. Docker 컨테이너 중지
docker compose -f docker/compose.p3.yml stop mcp-server

# 2. .env 수정
APPROVAL_WORKFLOW_ENABLED=false

# 3. 컨테이너 제거 후 재시작 (환경 변수 재로드)
docker compose -f docker/compose.p3.yml rm -f mcp-server
docker compose -f docker/compose.p3.yml up -d mcp-server

# 4. 검증
sleep 10
docker logs mcp-server | grep "APPROVAL"

echo "✅ 환경 변수 재설정 완료"
