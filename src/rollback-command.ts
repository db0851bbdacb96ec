import { screenOf } from './command.ts'
import { type Config, ConfigError, configOf, envPath } from './config.ts'
import { EXIT } from './exit-codes.ts'
import { languageOf } from './lenient-config.ts'
import type { Report } from './report/document.ts'
import { printable, printableLines } from './report/printable.ts'
import { render } from './report/render.ts'
import { apply, dryRun } from './rollback/apply.ts'
import { quoted } from './rollback/cli-git.ts'
import { type Engine, npmScript, type Outcome } from './rollback/engine.ts'
import type { Text } from './rollback/plan.ts'
import { Records, type Result } from './rollback/records.ts'
import { planReport, recordReport, resultReport, statusReport } from './rollback/report.ts'
import { resume } from './rollback/resume.ts'
import { BadUsage, type Flags, type RollbackContext, type ScenarioCommand } from './rollback/scenario.ts'
import { undo } from './rollback/undo.ts'
import { rollbackText, rollbackWords, textOf } from './rollback/words.ts'
import { contextOf, engineOf, type Run, type Seams } from './rollback-context.ts'
import { type RollbackOptions, readRollbackOptions, rollbackHelp } from './rollback-options.ts'
import { rehearse } from './rollback-rehearse.ts'
import { stopper } from './rollback-stop.ts'

export type { Seams }

/** What every rollback's main calls. stdout gets the result, stderr all the rest. @returns the exit code */
export async function rollbackCommand<F extends Flags>(
  command: ScenarioCommand<F>,
  process: NodeJS.Process,
  seams: Seams = {},
): Promise<number> {
  // Whoever reads our output may go before us: that must not end us in the middle.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  const config = configOf(process.env)
  const scenario = command as unknown as ScenarioCommand
  const lang = languageOf(process.env)
  const options = readRollbackOptions(scenario, process.argv.slice(2), lang)
  const complain = (code: number, cause: string, next: string): number => {
    process.stderr.write(`${printable(`${cause}. ${next}`)}\n`)
    return code
  }
  const help = `${npmScript(scenario.scenario)} -- --help`
  if ('problem' in options) return complain(EXIT.USAGE, options.problem[options.lang], help)
  if (options.verb === 'help') {
    process.stdout.write(rollbackHelp(scenario, options.lang))
    return EXIT.OK
  }
  const broken = (error: ConfigError) => {
    for (const problem of error.problems) process.stderr.write(`${printable(problem)}\n`)
    const n = error.problems.length
    const file = envPath(process.env)
    return complain(EXIT.BAD_CONFIG, rollbackWords(options.lang)('bad_config', { n, file }), `vi ${quoted(file)}`)
  }
  if (config instanceof ConfigError) return broken(config)
  try {
    return await obey({ scenario, options, config, process, seams })
  } catch (error) {
    if (error instanceof ConfigError) return broken(error)
    if (error instanceof BadUsage) return complain(EXIT.USAGE, error.text[options.lang], help)
    const { stack, message } = error instanceof Error ? error : new Error(String(error))
    process.stderr.write(`${printableLines(stack ?? '')}\n`)
    const fault = rollbackWords(options.lang)('fault', { message })
    return complain(EXIT.UNKNOWN, fault, `${npmScript(scenario.scenario)} -- status`)
  }
}

async function obey(run: Run): Promise<number> {
  const { scenario, options, process } = run
  const print = (report: Report) =>
    process.stdout.write(render(report, options.format, options.lang, screenOf(process)))
  const context = contextOf(run)
  const { zone } = context
  const view = { zone, reason: options.reason, dryRun: options.dryRun, isUndo: options.verb === 'undo' }
  if (options.verb === 'status') return await status(context, options, print)

  const stop = stopper(run)
  const engine = engineOf(run, context, stop, (plan) => {
    // In JSON the plan is part of the result; only a person who is asked needs to see it before.
    if (options.format === 'json' && options.yes) return
    const format = options.format === 'json' ? 'table' : options.format
    const screen = screenOf({ stdout: process.stderr, env: process.env })
    process.stderr.write(render(planReport(plan, view), format, options.lang, screen))
  })
  let outcome: Outcome
  try {
    outcome = await perform(run, context, engine)
  } finally {
    stop.end()
  }
  if (outcome.result && options.verb !== 'rehearse')
    await handOver(context, outcome.result, (text) => process.stderr.write(`${printable(text[options.lang])}\n`))
  if (options.dryRun && outcome.plan) {
    print(planReport(outcome.plan, view))
    return outcome.exit
  }
  if (outcome.exit === 0 || outcome.result || options.format === 'json') print(resultReport(outcome, scenario.scenario))
  if (outcome.exit !== 0) {
    const next = outcome.next ?? `${npmScript(scenario.scenario)} -- status`
    process.stderr.write(`${printable(`${outcome.text[options.lang]}. ${next}`)}\n`)
  }
  return outcome.exit === 2 && stop.timedOut() ? EXIT.DEADLINE : outcome.exit
}

/** The result counts, whether or not the server's record has it already. */
async function handOver({ runtimes }: RollbackContext, result: Result, tell: (text: Text) => void): Promise<void> {
  try {
    const runtime = await runtimes.detect()
    await runtime.handOver?.(result.id, `${JSON.stringify(result)}\n`)
  } catch (error) {
    if (result.runtime === 'compose') tell(textOf(error))
  }
}

async function perform(run: Run, context: RollbackContext, engine: Engine): Promise<Outcome> {
  const { scenario, options } = run
  if (options.verb === 'rehearse') {
    const again = (config: Config) => contextOf({ ...run, config, options: { ...options, runtime: 'process' } })
    return await rehearse({
      command: scenario,
      args: options.args,
      config: run.config,
      context,
      engine,
      contextOf: again,
    })
  }
  const rollback = scenario.create(context, options.args)
  if (options.verb === 'undo') return await undo(engine, rollback, options.id, options.dryRun)
  if (options.verb === 'resume') return await resume(engine, rollback)
  return await (options.dryRun ? dryRun : apply)(engine, rollback)
}

async function status(
  { system, folder, zone }: RollbackContext,
  { id }: RollbackOptions,
  print: (report: Report) => void,
): Promise<number> {
  const records = new Records(system, folder)
  if (id === undefined) {
    print(statusReport(await records.all(), { zone }))
    return EXIT.OK
  }
  const record = await records.find(id)
  if (!record) throw new BadUsage(rollbackText('unknown_id', { id }))
  const undoneBy = (await records.undoOf(id))?.id
  print(recordReport(record, await records.journal(id), { zone, undoneBy }))
  return EXIT.OK
}
