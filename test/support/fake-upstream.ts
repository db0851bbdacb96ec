/**
 * A tool server of the tests: plain JSON-RPC over the standard streams, no library in between. Arguments: a file that
 * gets one JSON line for every call received, and a file with the tools it offers, read whenever somebody asks.
 */
import { spawn } from 'node:child_process'
import { appendFileSync, existsSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

const [receivedFile, toolsFile, ...more] = process.argv.slice(2) as [string, string, ...string[]]
const write = (message: object): void => {
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
}
const note = (line: object) => appendFileSync(receivedFile, `${JSON.stringify(line)}\n`)
const tools = () => JSON.parse(readFileSync(toolsFile, 'utf8')) as { name: string }[]

// Something of its own that outlives it, unless its whole group is ended.
if (more.includes('--with-child')) note({ child: spawn('sleep', ['600'], { stdio: 'ignore' }).pid, pid: process.pid })
if (more.includes('--deaf')) process.on('SIGTERM', () => undefined)
process.stderr.write('fake upstream: token=very-secret-value\n')

interface Message {
  id?: number
  method?: string
  // biome-ignore lint/suspicious/noExplicitAny: whatever was sent.
  params?: any
  result?: unknown
  error?: unknown
}

/** What it asked of its client, and what is to be done with the answer. */
const asked = new Map<string, (answer: Message) => unknown>()
let questions = 0
function ask(method: string, params: object, then: (answer: Message) => unknown): string {
  const id = `q${++questions}`
  asked.set(id, then)
  write({ id, method, params })
  return id
}

const PAGE = 2
let changed = false

function answer(message: Message): unknown {
  const { id, method, params } = message
  const result = (value: object) => write({ id, result: value })
  switch (method) {
    case undefined:
      return asked.get(String(id))?.(message)
    case 'notifications/roots/list_changed':
    case 'notifications/progress':
      return note({ method, params })
    case 'initialize':
      if ('sampling' in params.capabilities) note({ connected: process.pid, capabilities: params.capabilities })
      return result({
        protocolVersion: params.protocolVersion,
        serverInfo: { name: 'fake', version: '1' },
        instructions: 'Use it well.',
        capabilities: { tools: { listChanged: true }, prompts: {}, resources: { subscribe: true }, logging: {} },
      })
    case 'tools/list': {
      const at = Number(params?.cursor ?? 0)
      const page = tools().slice(at, at + PAGE)
      const list = { tools: page, ...(at + PAGE < tools().length && { nextCursor: String(at + PAGE) }) }
      if (more.includes('--changes-early') && at === 0 && !changed) {
        changed = true
        result({ tools: page })
        writeFileSync(toolsFile, JSON.stringify([...tools(), { name: 'late', inputSchema: { type: 'object' } }]))
        return write({ method: 'notifications/tools/list_changed' })
      }
      if (at === 0 || !existsSync(`${toolsFile}.hold`)) return result(list)
      // Not before the test lets go of it.
      note({ held: params.cursor })
      return whenGone(`${toolsFile}.hold`, () => result(list))
    }
    case 'prompts/list':
      return result({ prompts: [{ name: 'greet', vendor: { kept: true } }] })
    case 'prompts/get':
      return result({ messages: [], description: `got ${params.name}`, vendor: 1 })
    case 'resources/list':
      return result({ resources: [{ uri: 'fake://one', name: 'one' }] })
    case 'resources/templates/list':
      return result({ resourceTemplates: [] })
    case 'resources/read':
      return result({ contents: [{ uri: params.uri, text: 'contents', vendor: 2 }] })
    case 'resources/subscribe':
      result({})
      return write({ method: 'notifications/resources/updated', params: { uri: params.uri } })
    case 'logging/setLevel':
      if (existsSync(`${toolsFile}.mute`)) return
      for (const level of ['debug', 'error'])
        write({ method: 'notifications/message', params: { level, data: { said: level }, vendor: 3 } })
      return result({})
    case 'tools/call':
      note(params)
      return called(id!, params)
    case 'notifications/cancelled':
      return note({ cancelled: params.requestId })
    default:
      if (id !== undefined) write({ id, error: { code: -32601, message: 'Method not found' } })
  }
}

// biome-ignore lint/suspicious/noExplicitAny: whatever was sent.
function called(id: number, { name, arguments: args = {}, _meta }: any): unknown {
  const result = (value: object) => write({ id, result: value })
  switch (args.mode) {
    case 'die':
      return process.exit(3)
    case 'hang':
      return
    case 'error':
      return write({ id, error: { code: -32050, message: 'an error of its own', data: { kept: true } } })
    case 'nothing':
      return result({})
    case 'fail':
      return result({ content: [{ type: 'text', text: 'it went wrong' }], isError: true })
    case 'env':
      return result({ content: [{ type: 'text', text: JSON.stringify({ ...process.env, cwd: process.cwd() }) }] })
    case 'ask': {
      const question = ask(args.method, args.params ?? {}, ({ result: said, error }) =>
        result({ content: [{ type: 'text', text: JSON.stringify(said ?? { error }) }] }),
      )
      if (args.withdraw) {
        const isUp = setInterval(() => {
          if (!existsSync(`${toolsFile}.withdraw`)) return
          unlinkSync(`${toolsFile}.withdraw`)
          clearInterval(isUp)
          write({ method: 'notifications/cancelled', params: { requestId: question, reason: 'never mind' } })
          result({ content: [{ type: 'text', text: 'withdrawn' }] })
          note({ withdrawn: question })
        }, 10)
      }
      return
    }
    case 'announce':
      write({ method: 'notifications/tools/list_changed' })
      return result({ content: [{ type: 'text', text: 'announced' }] })
    case 'progress':
      return goOn(1, args.steps, (progress) => {
        if (progress > args.steps) return result({ content: [{ type: 'text', text: 'done' }] })
        const told = { progressToken: _meta?.progressToken, progress, total: args.steps, message: `step ${progress}` }
        return write({ method: 'notifications/progress', params: told })
      })
    default:
      return result({
        content: [
          { type: 'text', text: `${name} ran`, annotations: { priority: 1 } },
          { type: 'image', data: 'AAAA', mimeType: 'image/png' },
          { type: 'resource', resource: { uri: 'fake://x', mimeType: 'text/plain', text: 'embedded' } },
        ],
        structuredContent: { n: 1 },
        vendor: { kept: [1, 2, { deep: null }] },
      })
  }
}

function whenGone(path: string, then: () => unknown): void {
  const timer = setInterval(() => {
    if (existsSync(path)) return
    clearInterval(timer)
    then()
  }, 10)
}

/** Each step when the test has seen the one before: it makes a file for it. */
function goOn(step: number, steps: number, tell: (step: number) => unknown): void {
  tell(step)
  if (step > steps) return
  const timer = setInterval(() => {
    if (!existsSync(`${toolsFile}.saw${step}`)) return
    clearInterval(timer)
    unlinkSync(`${toolsFile}.saw${step}`)
    goOn(step + 1, steps, tell)
  }, 10)
}

createInterface({ input: process.stdin }).on('line', (line) => answer(JSON.parse(line)))
