import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import { join } from 'node:path'
import { ROOT } from '../../src/config.ts'

const PROGRAM = join(ROOT, 'node_modules/@modelcontextprotocol/conformance/dist/index.js')

/** It asks for fs.globSync, which Node 20 lacks, for a command that is not used here. */
const ON_NODE_20 = `import { register } from 'node:module'
const fs = "import fs from 'node:fs'; export * from 'node:fs'; export default fs; export const globSync = undefined"
const url = 'data:text/javascript,' + encodeURIComponent(fs)
register('data:text/javascript,' + encodeURIComponent(
  'export const resolve = (name, context, next) => name === "fs" && context.parentURL?.includes("/conformance/")' +
  ' ? { url: ' + JSON.stringify(url) + ', shortCircuit: true } : next(name, context)'))`

export interface Check {
  readonly id: string
  readonly status: string
  /** What the server said, where the suite keeps it; why a check failed is not part of it. */
  readonly details?: unknown
}

/** Per scenario what was checked and how it came out. */
export type Outcomes = Readonly<Record<string, readonly Check[]>>

/** Runs every server scenario of the protocol's own conformance suite. */
export async function conformance(url: string, folder: string): Promise<Outcomes> {
  mkdirSync(folder)
  const hook = `data:text/javascript,${encodeURIComponent(ON_NODE_20)}`
  const args = ['--import', hook, PROGRAM, 'server', '--url', url, '--suite', 'all', '-o', folder]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk))
  await new Promise((resolve) => child.on('close', resolve))
  const scenarios = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.json'))
  if (scenarios.length === 0) throw new Error(`the conformance suite did not run: ${said}`)
  return Object.fromEntries(
    scenarios.map((name) => {
      const text = readFileSync(join(folder, name), 'utf8').replaceAll(new URL(url).host, 'its-own-host')
      const checks: Check[] = JSON.parse(text)
      const scenario = name.replace(/^server-/, '').replace(/-\d{4}-\d\d-\d\dT.*$/, '')
      const kept = checks.filter(({ status }) => status !== 'INFO')
      return [scenario, kept.map(({ id, status, details }) => ({ id, status, details }))]
    }),
  )
}

/** The suite cannot send a token: this sends it along. Everything else, Host and Origin too, passes as it is. */
export async function withToken(target: string, token: string): Promise<{ url: string; close: () => void }> {
  const { port: to } = new URL(target)
  const proxy = createServer((asked, answer) => {
    const headers = { ...asked.headers, authorization: `Bearer ${token}` }
    const passed = request({ host: '127.0.0.1', port: to, method: asked.method, path: asked.url, headers }, (from) => {
      answer.writeHead(from.statusCode!, from.headers)
      from.pipe(answer)
    })
    passed.on('error', () => answer.destroy())
    answer.on('close', () => passed.destroy())
    asked.pipe(passed)
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const { port } = proxy.address() as { port: number }
  const close = () => {
    proxy.close()
    proxy.closeAllConnections()
  }
  return { url: `http://127.0.0.1:${port}/mcp`, close }
}
