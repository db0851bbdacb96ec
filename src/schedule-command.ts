import { existsSync } from 'node:fs'
import { screenOf } from './command.ts'
import { ConfigError, configOf, ROOT } from './config.ts'
import { EXIT } from './exit-codes.ts'
import { languageOf } from './lenient-config.ts'
import type { Report } from './report/document.ts'
import { render } from './report/render.ts'
import { type Arguments, readArguments } from './schedule/arguments.ts'
import type { Ledger } from './schedule/ledger.ts'
import type { ScheduledJob } from './schedule/table.ts'
import { historyReport, nextReport, showReport } from './schedule/views.ts'
import { scheduleWords } from './schedule/words.ts'
import { complain, type Process, type World } from './schedule-context.ts'
import { keep, runDue, runJob } from './schedule-run.ts'
import { type OpenLedger, openLedger } from './store/ledger.ts'

/** The whole of `npm run schedule` and of the scheduler that the server starts. @returns the exit code */
export async function scheduleCommand(table: readonly ScheduledJob[], process: Process): Promise<number> {
  // Whoever reads our output may go before us: that ends no job.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  const config = configOf(process.env)
  if (config instanceof ConfigError) {
    return complain(process, EXIT.BAD_CONFIG, ...config.problems, scheduleWords(languageOf(process.env))('bad_config'))
  }
  const { settings } = config
  const jobs = table.map((job) => job.name)
  let args: Arguments
  try {
    args = readArguments(process.argv.slice(2), jobs, settings.OPS_LANG)
  } catch (error) {
    const [problem = ''] = (error as Error).message.split('. ')
    return complain(process, EXIT.USAGE, scheduleWords(settings.OPS_LANG)('bad_usage', { problem }))
  }
  return await obey(args, { table, process, settings, lang: args.lang })
}

async function obey({ command, format, by }: Arguments, world: World): Promise<number> {
  const { table, process, settings, lang } = world
  const view = { zone: settings.OPS_TIMEZONE, now: Date.now() }
  const print = (report: Report): number => {
    process.stdout.write(render(report, format, lang, screenOf(process)))
    return EXIT.OK
  }
  switch (command.name) {
    case 'help':
      process.stdout.write(scheduleWords(lang)('usage'))
      return EXIT.OK
    case 'show':
      return print(showReport(table, { root: ROOT, node: process.execPath }, view))
    case 'next':
      return print(nextReport(table, command.count, view))
    case 'history': {
      const { job, count } = command
      if (!existsSync(settings.OPS_DB_PATH)) return print(historyReport([], view))
      return await withLedger(world, async (ledger) => print(historyReport(await ledger.history(job, count), view)))
    }
    case 'keep':
      return await withLedger(world, (ledger) => keep(world, ledger))
    case 'run-due':
      return await withLedger(world, (ledger) => runDue(world, ledger, by))
    case 'run': {
      const job = table.find(({ name }) => name === command.job)!
      return await withLedger(world, (ledger) => runJob(world, ledger, job, by))
    }
  }
}

async function withLedger(world: World, work: (ledger: Ledger) => Promise<number>): Promise<number> {
  const { process, settings, lang } = world
  const say = scheduleWords(lang)
  let open: OpenLedger
  try {
    open = openLedger(settings.OPS_DB_PATH, Date.now())
  } catch (error) {
    const cause = (error as Error).message
    return complain(process, EXIT.UNKNOWN, say('bad_ledger', { cause, file: settings.OPS_DB_PATH }))
  }
  if (open.warning !== null) complain(process, EXIT.OK, say('lost', { what: open.warning }))
  try {
    return await work(open.ledger)
  } finally {
    open.close()
  }
}
