import { spawn } from 'node:child_process'
import { appendFileSync, existsSync } from 'node:fs'

// A job for the tests: `schedule-job.ts FILE [how]` leaves its process id in FILE and prints a result.
const [file = '', how = ''] = process.argv.slice(2)
const STUBBORN = 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000);'

appendFileSync(file, `${process.pid}\n`)
if (how === 'stubborn') {
  process.on('SIGTERM', () => {})
  const child = spawn(process.execPath, ['-e', STUBBORN], { stdio: 'inherit' })
  appendFileSync(file, `${child.pid}\n`)
}
if (how === 'stubborn' || how === 'slow') setInterval(() => {}, 1000)
if (how === 'loud') {
  const piece = Buffer.alloc(1024 * 1024, 0xea)
  for (let n = 0; n < 300; n++)
    if (!process.stdout.write(piece)) await new Promise((r) => process.stdout.once('drain', r))
}
if (how === 'until-told') {
  while (!existsSync(`${file}.told`)) await new Promise((done) => setTimeout(done, 50))
}
if (how === 'environment') process.stdout.write(`${JSON.stringify({ cwd: process.cwd(), env: process.env })}\n`)
process.stdout.write('결과: OK\n')
