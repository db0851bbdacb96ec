/** What is said of kept reports, in Korean. The English file has the same keys. */
export const ko = {
  changed: '수정본 {revision}: {before}판 이후 달라진 값',
  figure: '값',
  before: '전',
  after: '후',
  changed_more: '외 {n}건은 같은 이름의 .json 파일에 있습니다.',
  kept: '보고서를 보관했습니다: {path}',
  kept_revision: '달라진 값 {n}건이 있어 수정본 {revision}로 보관했습니다: {path}',
  unchanged: '이미 보관된 보고서와 같습니다: {path}',
  failed: '보고서를 보관하지 못했습니다({cause}). {command}',
} as const
