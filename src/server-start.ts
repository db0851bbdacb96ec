import { parseArgs } from 'node:util'
import type { ServerType } from '@hono/node-server'
import {
  type Config,
  ConfigError,
  credentialsPath,
  envPath,
  isLoopback,
  loadConfig,
  type Settings,
  serverFilePath,
  serverUrl,
} from './config.ts'
import { type Desk, openDesk, VERSION } from './desk.ts'
import { EXIT } from './exit-codes.ts'
import { languageOf } from './lenient-config.ts'
import { closed, listen } from './listen.ts'
import { openLog } from './log.ts'
import { issueToken } from './new-token.ts'
import { startScheduler } from './scheduler-child.ts'
import { keepServerFile } from './server-file.ts'
import { banner, serverWords } from './server-messages.ts'

/** What src/server.ts hears from the first moment on. */
export interface Signals {
  /** What was asked for so far. */
  readonly asked: ReadonlySet<Heard>
  /** From now on `act` does what is asked for, beginning with what was asked for before. */
  heed(act: (signal: Heard) => void): void
}
export type Heard = 'SIGTERM' | 'SIGINT' | 'SIGHUP'

type End = (code?: number) => never

/** All of the server's life. @param end ends the process */
export async function start(args: string[], signals: Signals, end: End): Promise<void> {
  const options = readArguments(args)
  if (options) await run(options, signals, end)
}

/** In the language that is configured, however wrong the rest of the configuration is. */
function say() {
  return serverWords(languageOf(process.env))
}

function readArguments(args: string[]) {
  try {
    const { values } = parseArgs({
      args,
      options: {
        'no-scheduler': { type: 'boolean' },
        'new-token': { type: 'string' },
        help: { type: 'boolean' },
        version: { type: 'boolean' },
      },
    })
    if (!values.help && !values.version) return values
    process.stdout.write(values.help ? say().help : `${VERSION}\n`)
  } catch (error) {
    const [problem = ''] = (error as Error).message.split('. ')
    fail(EXIT.USAGE, say().badOption(problem))
  }
  return undefined
}

function fail(code: number, ...lines: string[]): void {
  process.stderr.write(`${lines.join('\n')}\n`)
  process.exitCode = code
}

interface ServerOptions {
  readonly 'no-scheduler'?: boolean | undefined
  readonly 'new-token'?: string | undefined
}

async function run(options: ServerOptions, signals: Signals, end: End): Promise<void> {
  let config: Config
  try {
    config = loadConfig(process.env)
    assertReach(config.settings)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const { problems } = error
    return fail(EXIT.BAD_CONFIG, ...problems, say().badConfig(problems.length, envPath(process.env)))
  }
  const { settings } = config
  // What is written here holds arguments of calls: not for everybody on this machine.
  process.umask(0o027)
  if (options['new-token'] !== undefined) {
    try {
      const path = await issueToken(settings, options['new-token'], Date.now())
      process.stdout.write(`${say().token(options['new-token'], path)}\n`)
      return
    } catch (error) {
      return fail(EXIT.BAD_CONFIG, say().noToken((error as Error).message))
    }
  }
  const { log, reopen } = openLog(settings.LOG_PATH)
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'the server failed')
    fail(EXIT.CRITICAL, `${error.stack}`, say().failed(settings.LOG_PATH))
    end()
  })
  for (const warning of config.warnings) log.warn(warning)
  const isUnwanted = () => signals.asked.has('SIGTERM') || signals.asked.has('SIGINT')
  if (isUnwanted()) return end(EXIT.OK)

  let desk: Desk
  try {
    desk = await openDesk({ config, env: process.env, log })
  } catch (error) {
    log.fatal({ err: error }, 'the server did not start')
    return fail(EXIT.BAD_CONFIG, say().notStarted((error as Error).message))
  }
  if (isUnwanted()) {
    await desk.close()
    log.info('stopped before it listened')
    return end(EXIT.OK)
  }
  let server: ServerType
  try {
    server = await listen(desk, settings)
  } catch (error) {
    await desk.close()
    log.fatal({ err: error }, 'the server did not start')
    const inUse = (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
    return fail(EXIT.BAD_CONFIG, inUse ? say().taken(settings.PORT) : say().notStarted((error as Error).message))
  }
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : settings.PORT
  log.info({ host: settings.HOST, port }, 'listening')

  const scheduler = options['no-scheduler'] ? undefined : startScheduler(port, log)
  let stopping = false
  let serverFile: Awaited<ReturnType<typeof keepServerFile>> | undefined
  const stop = async (signal: NodeJS.Signals) => {
    if (stopping) end(EXIT.CRITICAL)
    stopping = true
    log.info({ signal }, 'stopping')
    scheduler?.stop()
    serverFile?.remove()
    desk.release()
    await closed(server)
    await desk.close()
    log.info('stopped')
    end(EXIT.OK)
  }
  signals.heed((signal) => {
    if (signal !== 'SIGHUP') return void stop(signal)
    reopen()
    log.info('reading the configuration again')
    desk.reload().catch((error) => log.error({ err: error }, 'the configuration was not read again'))
  })
  // Not before a signal is acted upon at once: whoever finds the file may send one.
  const url = serverUrl({ ...settings, APPROVAL_URL: '', PORT: port })
  serverFile = await keepServerFile(serverFilePath(settings), { url, env_file: config.envFile }, log)
  process.stdout.write(banner({ config, port, desk, credentials: credentialsPath(settings) }))
}

/** The desk leaves this machine only when somebody said so, and never on the word of a header. */
function assertReach(settings: Settings): void {
  if (isLoopback(settings.HOST)) return
  const problems: string[] = []
  if (!settings.APPROVAL_ALLOW_REMOTE) {
    problems.push(
      `HOST=${settings.HOST} lets other machines call. Set APPROVAL_ALLOW_REMOTE=true to allow it, or HOST=127.0.0.1`,
    )
  }
  if (settings.APPROVAL_TRUST_USER_HEADER) {
    problems.push(
      `APPROVAL_TRUST_USER_HEADER=true needs HOST=127.0.0.1: anyone who reaches ${settings.HOST} could be anyone`,
    )
  }
  if (problems.length > 0) throw new ConfigError(problems)
}
