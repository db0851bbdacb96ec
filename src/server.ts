import { EXIT } from './exit-codes.ts'
import type { Heard } from './server-start.ts'

// The rest takes a second to load, more than the database takes to open. Who asks in that time that the files be read
// again must not end the server, and who stops it must find it stopped as at any other time.
const asked = new Set<Heard>()
const isStop = (signal: Heard) => signal !== 'SIGHUP'
let heed = (signal: Heard): void => {
  if (isStop(signal) && [...asked].some(isStop)) process.exit(EXIT.CRITICAL)
  asked.add(signal)
}
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => heed(signal))

const { start } = await import('./server-start.ts')
const signals = {
  asked,
  heed(act: (signal: Heard) => void) {
    heed = act
    for (const signal of asked) act(signal)
  },
}
await start(process.argv.slice(2), signals, process.exit)
