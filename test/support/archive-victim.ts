import type { Store } from '../../src/approval/store.ts'
import { archiverChild } from '../../src/archiver-child.ts'
import { archiverHere, moveOld, openDesk } from './archives.ts'

/** Moves what is old in the database, as the server does, and is killed at the step that it was given. */
const [path, step, now] = process.argv.slice(2) as [string, string, string]

function die(): never {
  process.kill(process.pid, 'SIGKILL')
  throw new Error('still alive')
}
const at = (name: string): void => {
  if (name === step) die()
}

const desk = await openDesk(path, Number(now))
const { store } = desk
let requests = 0
let events = 0
const dying: Store = {
  ...store,
  async archive(archive, state, by, when, place) {
    at('copied')
    const done = await store.archive(archive, state, by, when, () => {
      at('before the file has its name')
      place()
      at('before the record tells of it')
    })
    at('before anything was taken out')
    return done
  },
  async dropRequests(rows) {
    const dropped = await store.dropRequests(rows)
    at(`requests taken out ${++requests}`)
    return dropped
  },
  async dropEvents(limit) {
    const dropped = await store.dropEvents(limit)
    at(`events taken out ${++events}`)
    return dropped
  },
}
const archiver =
  step === 'copying'
    ? {
        ...archiverHere,
        make: (task: Parameters<typeof archiverHere.make>[0]) => {
          // Its process is at work when this one dies.
          setTimeout(die, 700)
          return archiverChild(new AbortController().signal).make(task)
        },
      }
    : archiverHere
process.stdout.write(JSON.stringify(await moveOld({ ...desk, store: dying }, Number(now), { archiver })))
await store.close()
