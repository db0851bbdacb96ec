/** Words of every report, in Korean. The English file has the same keys. */
export const ko = {
  ok: '정상',
  warning: '주의',
  critical: '위험',
  unknown: '확인 불가',
  not_configured: '설정 안 됨',
  state_text: '{state}: {text}',
  chart_numbers: '수치 보기',
} as const
