// The scheduler with a table and a clock of the test's own: SCHEDULE_TABLE is JSON, CLOCK_SHIFT milliseconds by which
// the clock is ahead. Otherwise as src/scheduler.ts.
process.env.TZ = 'UTC'
const shift = Number(process.env.CLOCK_SHIFT ?? 0)
const RealDate = Date
globalThis.Date = class extends RealDate {
  constructor(...given: unknown[]) {
    super(...((given.length > 0 ? given : [RealDate.now() + shift]) as [number]))
  }
  static override now(): number {
    return RealDate.now() + shift
  }
} as DateConstructor

const { scheduleCommand } = await import('../../src/schedule-command.ts')
process.exitCode = await scheduleCommand(JSON.parse(process.env.SCHEDULE_TABLE ?? '[]'), process)
if (process.connected) process.disconnect()
