import { defineConfig } from 'vitest/config'
import { LongestFirst } from './test/support/longest-first.ts'

export default defineConfig({
  test: {
    globalSetup: 'test/support/docker-end.ts',
    include: ['test/**/*.test.ts'],
    // Real servers and child processes on a shared machine: time limits only catch what hangs.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // More than the two cores that CI has: half of what takes long waits, for containers and for processes.
    maxWorkers: 4,
    sequence: { sequencer: LongestFirst },
    env: { NO_COLOR: '1' },
  },
})
