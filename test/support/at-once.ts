import { saveToken } from '../../src/credentials.ts'
import { keepReport } from '../../src/keep-report.ts'
import { openDatabase } from '../../src/store/database.ts'
import { openLedger } from '../../src/store/ledger.ts'
import { lockFile } from '../../src/store/lock-file.ts'
import { realSystem } from '../../src/system/real.ts'

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
    const { db, adopted, created } = await openDatabase(path, at)
    db.close()
    return adopted ? 'adopted' : created ? 'made' : 'opened'
  },
  async openAndDie({ path, at }: Order) {
    await openDatabase(path, at)
    process.kill(process.pid, 'SIGKILL')
  },
  /** Kept for as long as the process lives: nobody's garbage. */
  lock({ path }: Order) {
    const release = lockFile(path)
    held.push(release)
    return release ? 'taken' : 'held'
  },
  saveToken: ({ path }: Order) => saveToken(path, `user ${process.pid}`, 'token'),
  async keepReport({ path }: Order) {
    const { written } = await keepReport(SMALL, { system: realSystem, folder: path, lang: 'en' })
    return written ? 'kept' : 'the same'
  },
}

const SMALL: Parameters<typeof keepReport>[0] = {
  report: {
    schema: 'ops.small.v1',
    data: { schema: 'ops.small.v1', n: 1 },
    document: (lang: 'ko' | 'en') => ({ lang, title: '', blocks: [] }),
  },
  keep: { period: '2026-11-22', name: 'daily', figures: ({ n }: { n?: unknown }) => ({ n }) },
}

process.on('message', async (order: Order) => {
  while (Date.now() < order.at);
  try {
    process.send!((await WORK[order.work](order)) ?? 'done')
  } catch (error) {
    process.send!((error as Error).message)
  }
})
process.send!('ready')
