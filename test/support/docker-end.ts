import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Names the folder that the test files of this run share, should one need Docker; ends what they left in it. A folder
 * that the caller names stays, with its engine and image: for one run after another.
 */
export default function setup(): (() => Promise<void>) | undefined {
  if (process.env.APPROVAL_TEST_DOCKER) return undefined
  process.env.APPROVAL_TEST_DOCKER = mkdtempSync(join(tmpdir(), 'approval-docker-'))
  return async () => {
    const { endEngine } = await import('./docker.ts')
    await endEngine()
  }
}
