#!/bin/bash
# 명령어: bash ops/rollback_disable.sh

echo "🔄 승인 워크플로우 비활성화 중..."

# 1. .env 파일 수정
sed -i 's/APPROVAL_WORKFLOW_ENABLED=true/APPROVAL_WORKFLOW_ENABLED=false/' .env

# 2. 서비스 재시작
docker compose -f docker/compose.p3.yml restart mcp-server

# 3. 검증
sleep 5
curl http://localhost:8020/health
echo "✅ 비활성화 완료"

# 4. 알림
echo "⚠️ 모든 HIGH/CRITICAL 도구가 승인 없이 실행됩니다!"
