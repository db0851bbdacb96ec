#!/bin/bash
# 명령어: bash ops/rollback_cli.sh

echo "🔄 CLI를 이전 버전으로 복원..."

# 1. 이전 버전 복원
git checkout HEAD~1 -- scripts/ai.py

# 2. 검증
python scripts/ai.py --help

echo "✅ CLI 복원 완료"
echo "⚠️ 서버는 여전히 승인 워크플로우를 실행합니다"
