import { Interrupted, signalExit } from './explain.ts'
import { runProgram } from './program.ts'
import { Terminal } from './terminal.ts'

const { argv, env } = process
const underNpx = /[\\/]_npx[\\/]/.test(argv[1] ?? '')
const self = underNpx ? 'npx approval' : (argv[1] ?? 'approval')
const terminal = new Terminal(process)
const interrupt = new AbortController()

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    // The second time at once: whatever the first one waits for does not come.
    if (interrupt.signal.aborted) process.exit(signalExit(signal))
    interrupt.abort(new Interrupted(signal))
  })
}
// npm starts us through a shell that does not pass a signal on: when it is gone, so is whoever waited for us.
const parent = process.ppid
if (underNpx) {
  const orphaned = () => process.ppid !== parent && interrupt.abort(new Interrupted('SIGHUP'))
  setInterval(orphaned, 1000).unref()
}
// `approval list | head -1`: nobody reads on, which is no error of ours, but a reason to stop watching. Messages that
// nobody reads change nothing: the exit code still tells.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error
    if (stream === process.stdout) interrupt.abort(new Interrupted('SIGPIPE'))
  })
}
process.on('exit', () => terminal.restore())

process.exitCode = await runProgram(argv.slice(2), { env, terminal, signal: interrupt.signal, self })
