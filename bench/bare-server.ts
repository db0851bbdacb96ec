/**
 * The limit that ours is measured against: the same HTTP library answering the same POST, and nothing else.
 * `node --import tsx bench/bare-server.ts none|insert FILE` prints its port. `insert` does one durable insert for each.
 */
import { serve } from '@hono/node-server'
import Database from 'better-sqlite3'
import { Hono } from 'hono'

const [, , mode, file = ':memory:'] = process.argv
const app = new Hono()
const db = new Database(file)
db.pragma('journal_mode = WAL')
db.pragma('synchronous = FULL')
db.exec('CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, body TEXT NOT NULL)')
const insert = db.prepare('INSERT INTO t (body) VALUES (?)')

app.post('/api/approvals', async (c) => {
  const body = await c.req.json()
  if (mode === 'insert') insert.run(JSON.stringify(body))
  return c.json({ status: 'pending', ...body }, 201)
})

const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => console.log(port))
process.on('SIGTERM', () => server.close())
