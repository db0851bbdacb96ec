import { hostname } from 'node:os'
import { BackupFailure, backupText, backupWords, type FailureKind } from './backup/failure.ts'
import { listReport, type Proof, takenReport, takenState, verifyReport } from './backup/report.ts'
import { planReport, restoredReport, sentenceReport } from './backup/restore-report.ts'
import { isWhole, newestWhole, shelf } from './backup/shelf.ts'
import { type BackupOptions, backupHelp, COMMAND, readBackupOptions } from './backup-options.ts'
import { enter, explained, type Place, refuseUnfinished } from './backup-place.ts'
import { restore, resumeRestore } from './backup-restore.ts'
import { planRestore, refuseInUse } from './backup-restore-plan.ts'
import { removeUnfinished, takeBackup } from './backup-take.ts'
import { problemOf } from './backup-verify.ts'
import { screenOf } from './command.ts'
import { backupsPath, type Config, ConfigError, configOf } from './config.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { languageOf } from './lenient-config.ts'
import type { Report } from './report/document.ts'
import { printable, printableLines } from './report/printable.ts'
import { render } from './report/render.ts'
import { typedWord } from './rollback-confirm.ts'
import { whoRuns } from './rollback-context.ts'
import { realSystem } from './system/real.ts'

/** What a test may put in the place of the real thing. */
export interface Seams {
  readonly now?: number
  readonly pause?: (moment: string) => Promise<void>
}

interface Run {
  readonly options: BackupOptions
  readonly place: Place
  readonly process: NodeJS.Process
}

const CODES: Readonly<Record<FailureKind, ExitCode>> = {
  held: EXIT.LOCK_HELD,
  restored: EXIT.WARNING,
  refused: EXIT.CRITICAL,
  failed: EXIT.CRITICAL,
  unmeasured: EXIT.UNKNOWN,
  uncertain: EXIT.UNKNOWN,
  deadline: EXIT.DEADLINE,
}

/** `npm run backup`. stdout gets the result, stderr all the rest. @returns the exit code */
export async function backupCommand(process: NodeJS.Process, seams: Seams = {}): Promise<number> {
  // Whoever reads our output may go before us: that must not end a restore in the middle.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  const config = configOf(process.env)
  const options = readBackupOptions(process.argv.slice(2), languageOf(process.env))
  const { lang } = options
  const complain = (code: ExitCode, cause: string, next: string): ExitCode => {
    process.stderr.write(`${printable(`${cause}. ${next}`)}\n`)
    return code
  }
  if ('problem' in options) return complain(EXIT.USAGE, options.problem[lang], `${COMMAND} -- --help`)
  if (options.verb === 'help') {
    process.stdout.write(backupHelp(lang))
    return EXIT.OK
  }
  if (config instanceof ConfigError) {
    for (const problem of config.problems) process.stderr.write(`${printable(problem)}\n`)
    const cause = backupWords(lang)('bad_config', { n: config.problems.length, file: '.env' })
    return complain(EXIT.BAD_CONFIG, cause, COMMAND)
  }
  const place = placeOf(config, options, seams)
  try {
    return await obey({ options, place, process })
  } catch (thrown) {
    const error = explained(thrown, place.folder)
    if (error instanceof BackupFailure) {
      if (options.format === 'json') {
        const failure = { kind: error.kind, text: error.text, next_command: error.next }
        process.stdout.write(`${JSON.stringify({ schema: 'ops.backup-failure.v1', ...failure }, null, 2)}\n`)
      }
      return complain(CODES[error.kind], error.text[lang], error.next)
    }
    const { stack, message } = error instanceof Error ? error : new Error(String(error))
    process.stderr.write(`${printableLines(stack ?? '')}\n`)
    return complain(EXIT.UNKNOWN, backupWords(lang)('fault', { message }), `${COMMAND} -- list`)
  }
}

function placeOf({ settings, envFile }: Config, options: BackupOptions, seams: Seams): Place {
  const begun = performance.now()
  const end = begun + options.timeoutSeconds * 1000
  const now = seams.now ?? Date.now()
  return {
    settings,
    envFile,
    system: realSystem,
    folder: backupsPath(settings),
    zone: options.zone ?? settings.OPS_TIMEZONE,
    now,
    clock: () => Math.round(now + performance.now() - begun),
    checkDeadline() {
      if (performance.now() < end) return
      const seconds = options.timeoutSeconds
      const text = backupText('deadline', { seconds })
      throw new BackupFailure('deadline', text, `${COMMAND} -- --timeout ${Math.min(seconds * 2, 36_000)}`)
    },
    pause: seams.pause ?? (async () => {}),
  }
}

async function obey(run: Run): Promise<ExitCode> {
  const { options, place, process } = run
  const print = (report: Report, code: ExitCode): ExitCode => {
    process.stdout.write(render(report, options.format, options.lang, screenOf(process)))
    return code
  }
  if (options.verb === 'list') return await list(run, print)
  // A dry run writes nothing: not even the folder of backups.
  if (options.verb === 'restore' && options.dryRun) {
    await refuseUnfinished(place)
    return await restoreAs(run, print)
  }
  const release = await enter(place)
  try {
    if (options.verb === 'resume') return await resume(place, print)
    await refuseUnfinished(place)
    if (options.verb === 'verify') return await verify(run, print)
    if (options.verb === 'restore') return await restoreAs(run, print)
    const taken = await takeBackup(place)
    return print(takenReport(taken), takenState(taken) === 'ok' ? EXIT.OK : EXIT.WARNING)
  } finally {
    release()
  }
}

type Print = (report: Report, code: ExitCode) => ExitCode

async function list({ place }: Run, print: Print): Promise<ExitCode> {
  const backups = await shelf(place.system, place.folder)
  return print(listReport(backups, place), backups.length > 0 && backups.every(isWhole) ? EXIT.OK : EXIT.WARNING)
}

/** Proves one backup again, or all of them. Changes none. */
async function verify({ options, place }: Run, print: Print): Promise<ExitCode> {
  const { folder, system } = place
  await removeUnfinished(folder)
  const all = await shelf(system, folder)
  const which = options.which === 'latest' ? newestWhole(all, place.now)?.name : options.which
  const asked = options.which === undefined ? all : all.filter(({ name }) => name === which)
  if (asked.length === 0) {
    const text = which === undefined ? backupText('no_whole', {}) : backupText('no_such', { name: which })
    throw new BackupFailure('refused', text, `${COMMAND} -- list`)
  }
  const proofs: Proof[] = []
  for (const shelved of asked) {
    const problem = isWhole(shelved) ? await problemOf(place, shelved.manifest) : shelved.problem
    proofs.push({ name: shelved.name, problem })
  }
  return print(verifyReport(proofs), proofs.some(({ problem }) => problem !== null) ? EXIT.CRITICAL : EXIT.OK)
}

async function resume(place: Place, print: Print): Promise<ExitCode> {
  const result = await resumeRestore(place)
  if (result === null) return print(sentenceReport('ok', 'nothing_unfinished'), EXIT.OK)
  if (result === 'taken back') return print(sentenceReport('warning', 'taken_back'), EXIT.WARNING)
  return print(restoredReport(result), EXIT.OK)
}

async function restoreAs(run: Run, print: Print): Promise<ExitCode> {
  const { options, place, process } = run
  const { reason, lang } = options
  if (!options.dryRun && !options.yes && process.stdin.isTTY !== true) {
    throw new BackupFailure('refused', backupText('no_tty', {}), `${COMMAND} -- restore latest --dry-run`)
  }
  const { plan, manifest } = await planRestore(place, options.which!)
  const report = planReport(plan, place, reason)
  if (options.dryRun) {
    print(report, EXIT.OK)
  } else if (options.format !== 'json') {
    const screen = screenOf({ stdout: process.stderr, env: process.env })
    process.stderr.write(render(report, options.format, lang, screen))
  }
  refuseInUse(plan.in_use, plan.target)
  if (options.dryRun) return EXIT.OK
  if (!options.yes && !(await typedWord('restore', lang, process, new AbortController().signal))) {
    throw new BackupFailure('refused', backupText('declined', {}), `${COMMAND} -- restore latest --dry-run`)
  }
  const ignore = (signal: NodeJS.Signals) =>
    void process.stderr.write(`${backupWords(lang)('still_going', { signal })}\n`)
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.on(signal, ignore)
  try {
    const restored = await restore(place, plan, manifest, { reason, by: whoRuns(process.env), host: hostname() })
    return print(restoredReport(restored), EXIT.OK)
  } finally {
    for (const signal of signals) process.off(signal, ignore)
  }
}
