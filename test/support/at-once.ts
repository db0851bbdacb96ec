import { openDatabase } from '../../src/store/database.ts'
import { openLedger } from '../../src/store/ledger.ts'
import { lockFile } from '../../src/store/rollback-lock.ts'

interface Order {
  readonly work: keyof typeof WORK
  readonly path: string
  /** The instant for all to begin. */
  readonly at: number
}

const held: unknown[] = []

// One of several processes that do the same in the same moment.
const WORK = {
  openLedger({ path, at }: Order) {
    const { warning, close } = openLedger(path, at)
    close()
    return warning ?? 'opened'
  },
  async openDatabase({ path, at }: Order) {
    const { db, adopted } = await openDatabase(path, at)
    db.close()
    return adopted ? 'adopted' : 'opened'
  },
  /** Kept for as long as the process lives: nobody's garbage. */
  lock({ path }: Order) {
    const release = lockFile(path)
    held.push(release)
    return release ? 'taken' : 'held'
  },
}

process.on('message', async (order: Order) => {
  while (Date.now() < order.at);
  try {
    process.send!(await WORK[order.work](order))
  } catch (error) {
    process.send!((error as Error).message)
  }
})
process.send!('ready')
