import { existsSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { gateAt } from '../../src/approval/gate.ts'
import { loadConfig, serverFilePath } from '../../src/config.ts'
import { openLog } from '../../src/log.ts'
import { keepServerFile } from '../../src/server-file.ts'

// A server that answers /health as ours does and takes a SIGHUP badly: `fake-server.ts deaf|dies|dies-for-good|crashes|ill`.
const [how = ''] = process.argv.slice(2)
let config = loadConfig(process.env)
const gone = join(dirname(config.settings.SECURITY_DB_PATH), 'gone')
if (existsSync(gone)) {
  process.stderr.write('the fake server cannot start\n')
  process.exit(1)
}
let loadedAt = new Date().toISOString()

const health = () => {
  const gate = gateAt(config.settings, Date.now())
  const until = !gate.on && gate.until !== null ? new Date(gate.until).toISOString() : null
  return {
    status: how === 'ill' && !gate.on ? 'degraded' : 'ok',
    ...{ service: 'approval-ops', pid: process.pid, started_at: loadedAt, open: 0 },
    gate: { configured: config.settings.APPROVAL_WORKFLOW_ENABLED, effective: gate.on, disabled_until: until },
    config: { loaded_at: loadedAt, error: null, effective: config.given, from: config.from },
  }
}
let reloaded = false
let answers = 0
const server = createServer((_, response) => {
  // It has answered well once: that it took the change over was seen.
  if (how === 'crashes' && reloaded && answers++ > 0) process.exit(1)
  response.end(JSON.stringify(health()))
})

process.on('SIGHUP', () => {
  if (how === 'deaf') return
  if (how === 'dies-for-good') writeFileSync(gone, '')
  if (how.startsWith('dies')) process.exit(1)
  config = loadConfig(process.env)
  loadedAt = new Date().toISOString()
  reloaded = true
})

server.listen(0, '127.0.0.1', async () => {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { log } = openLog(config.settings.LOG_PATH)
  await keepServerFile(serverFilePath(config.settings), { url, env_file: config.envFile }, log)
})
