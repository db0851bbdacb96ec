import { basename } from 'node:path'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** What takes longest, by the names of the files: minutes, a minute, half a minute. */
const LONG = [/^rollback-(cli-|compose-)?kill/, /compose/, /^(rollback|server|cli)|^daily-check\.|^schedule-[cp]|^docs/]

/**
 * A clean clone has no record of how long its test files take. One that takes minutes and is begun last would keep a
 * single worker busy while the others have nothing left to do.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const place = LONG.findIndex((names) => names.test(basename(moduleId)))
      return place < 0 ? LONG.length : place
    }
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b))
  }
}
