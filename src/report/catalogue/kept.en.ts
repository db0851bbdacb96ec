import type { SameKeys } from '../words.ts'
import type { ko } from './kept.ko.ts'

export const en: SameKeys<typeof ko> = {
  changed: 'Revision {revision}: what changed since revision {before}',
  figure: 'Figure',
  before: 'Before',
  after: 'Now',
  changed_more: '{n} more in the .json file of the same name.',
  kept: 'Kept: {path}',
  kept_revision: '{n} {n|figure has|figures have} changed. Kept as revision {revision}: {path}',
  unchanged: 'The same as the report that is kept already: {path}',
  failed: 'The report could not be kept ({cause}). {command}',
}
