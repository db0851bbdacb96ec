import Database from 'better-sqlite3'
import { appendRequests, moveAround } from './backup.ts'

// Writes to a database as a server does, as fast as it can, until it is killed.
const db = new Database(process.argv[2]!)
db.pragma('synchronous = OFF')
for (;;) {
  appendRequests(db, 1)
  moveAround(db, 200)
}
