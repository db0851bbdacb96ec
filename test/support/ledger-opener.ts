import { openLedger } from '../../src/store/ledger.ts'

// One of several processes that open the same ledgers: each message is a path and the instant for all to open it.
process.on('message', ({ path, at }: { path: string; at: number }) => {
  while (Date.now() < at);
  try {
    const { warning, close } = openLedger(path, at)
    close()
    process.send!(warning ?? 'opened')
  } catch (error) {
    process.send!((error as Error).message)
  }
})
process.send!('ready')
