import { setPriority } from 'node:os'
import type { ArchiverTask } from './archiver-child.ts'
import { makeArchive } from './store/archive-make.ts'
import { verifyArchives } from './store/archive-read.ts'

const perform = (task: ArchiverTask) => (task.kind === 'make' ? makeArchive(task) : verifyArchives(task))

// The server's helper process: copies and verifies months of the record. It ends when the server does.
process.on('disconnect', () => process.exit())
process.once('message', async (task: ArchiverTask) => {
  // Whoever waits for an answer of the server comes first.
  setPriority(10)
  const answer = await perform(task).then(
    (result) => ({ result }),
    (error: Error) => ({ error: error.message }),
  )
  process.send?.(answer, () => process.disconnect())
})
