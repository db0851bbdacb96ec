import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { userInfo } from 'node:os'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import { command, type Io } from './command.ts'
import { attestationsPath, type Config, KEYS } from './config.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { sign } from './jobs/attestations.ts'
import { type PreflightWorld, preflight } from './jobs/preflight.ts'
import { lenientConfig } from './lenient-config.ts'
import { LANGUAGES } from './report/document.ts'
import { localTime } from './report/period.ts'
import { preflightWords } from './report/preflight.ts'
import { ATTESTED } from './report/preflight-data.ts'
import { printable } from './report/printable.ts'
import { realSystem } from './system/real.ts'

/** `npm run preflight`, and `npm run preflight -- attest ITEM --by NAME`. */
export async function preflightCommand(io: Io): Promise<ExitCode> {
  // Only for what stands beside the settings: a broken `.env` ends the check itself, with every problem.
  const config = lenientConfig(io.env)
  if (io.argv[2] === 'attest') return await attest(io, config)
  return await command(preflight(worldOf(config, io)), io)
}

function worldOf({ settings, envFile, warnings }: Config & { warnings: readonly string[] }, io: Io): PreflightWorld {
  const env = Object.entries(io.env).filter(([key]) => (KEYS as string[]).includes(key) || key.startsWith('APPROVAL_'))
  return {
    settingsFile: { path: envFile, isThere: existsSync(envFile), warnings },
    programs: { node: process.execPath, env: Object.fromEntries(env) as Record<string, string> },
    attestations: attestationsPath(settings),
  }
}

const DAY = 86_400_000
const VALID_DAYS = 90
const MOST_DAYS = 366

/** Somebody vouches for what no program can see. Signed by a key that the first attestation makes. */
async function attest(io: Io, { settings, isWhole }: Config & { readonly isWhole: boolean }): Promise<ExitCode> {
  const say = (code: ExitCode, sentence: string): ExitCode => {
    io.stderr.write(`${printable(sentence)}\n`)
    return code
  }
  let words = preflightWords(settings.OPS_LANG)
  const bad = (problem: string) => say(EXIT.USAGE, words('attest_bad', { problem }))
  let given: ReturnType<typeof readAttest>
  try {
    given = readAttest(io.argv.slice(3))
  } catch (error) {
    return bad((error as Error).message.split('. ')[0]!)
  }
  const { values, positionals } = given
  const lang = LANGUAGES.find((one) => one === (values.lang ?? settings.OPS_LANG))
  if (!lang) return bad(`--lang ${values.lang}`)
  words = preflightWords(lang)
  if (values.help) {
    io.stdout.write(`${words('attest_usage')}\n`)
    return EXIT.OK
  }
  const item = ATTESTED.find((one) => one === positionals[0])
  const by = values.by?.trim() ?? ''
  const days = /^\d{1,3}$/.test(values['valid-days'] ?? String(VALID_DAYS))
    ? Number(values['valid-days'] ?? VALID_DAYS)
    : 0
  if (!item || positionals.length !== 1) return bad(words('attest_item', { given: positionals.join(' ') || '–' }))
  if (by === '' || by.length > 100) return bad(words('attest_by'))
  if (days < 1 || days > MOST_DAYS) return bad(`--valid-days ${values['valid-days']} (1 - ${MOST_DAYS})`)
  if (!isWhole) return bad('.env')
  const { file, keyFile } = attestationsPath(settings)
  const now = io.now ?? Date.now()
  const until = now + days * DAY
  const said = { item, by, account: userInfo().username, at: iso(now), valid_until: iso(until) }
  try {
    await realSystem.appendLine(file, JSON.stringify(sign(said, await keyAt(keyFile))))
  } catch (error) {
    return say(EXIT.UNKNOWN, words('attest_failed', { problem: (error as Error).message, path: dirname(file) }))
  }
  const untilText = localTime(until, settings.OPS_TIMEZONE, 'YYYY-MM-DD')
  const done = { item: words(`item.${item}`), by, until: untilText, path: file }
  io.stdout.write(`${printable(words('attest_done', done))}\n`)
  return EXIT.OK
}

const readAttest = (args: readonly string[]) =>
  parseArgs({
    args: [...args],
    options: {
      by: { type: 'string' },
      'valid-days': { type: 'string' },
      lang: { type: 'string' },
      help: { type: 'boolean' },
    },
    strict: true,
    allowPositionals: true,
  })

const iso = (ms: number): string => new Date(ms).toISOString()

async function keyAt(path: string): Promise<string> {
  if ((await realSystem.stat(path)) === null) {
    await realSystem.makeFolder(dirname(path))
    await realSystem.replaceFile(path, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 })
  }
  return await realSystem.readText(path)
}
