import { randomUUID } from 'node:crypto'
import { ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/client'
import type { Passing } from './connection.ts'
import { isObject, type Raw } from './raw.ts'
import type { Upstream } from './upstream.ts'

/** Revision 2025-11-25, "Tasks": how the result of a task says whose it is. */
const RELATED = 'io.modelcontextprotocol/related-task'
/** How often a client is asked to look, ms. */
const POLL = 2000
/** A client that has not looked for so long is gone: what still waits for a human then runs only when it is back, ms. */
const GONE = 60_000
/** Tasks are kept for so long from their beginning, whatever the client asks for, while there are not too many, ms. */
const KEPT = { least: 3_600_000, most: 86_400_000 }
const MOST_TASKS = 1000

/** Makes the call. `onWaiting`: from now on it waits for a human; answers what says that it no longer does. */
export type Running = (signal: AbortSignal, onWaiting: (message: string) => () => void) => Promise<Raw>

interface Task {
  readonly taskId: string
  readonly createdAt: number
  readonly ttl: number
  status: 'working' | 'completed' | 'failed' | 'cancelled'
  message: string | undefined
  updatedAt: number
  run: Running | undefined
  outcome: Promise<Raw> | undefined
  stop: AbortController
  /** Requests for its result that are open. */
  looking: number
  lastLook: number
  /** The tool server's own task, where it made one of the call. */
  behind: { readonly upstream: Upstream; readonly taskId: string } | undefined
}

/** The tasks of one client: calls that it need not hold a request open for, and looks after instead. */
export function createTasks(clock: () => number) {
  const tasks = new Map<string, Task>()

  function add(id: string, wanted: unknown): Task {
    const now = clock()
    for (const [key, { createdAt, ttl, stop }] of tasks) {
      if (now - createdAt <= ttl) continue
      stop.abort()
      tasks.delete(key)
    }
    const ended = [...tasks.values()].find(({ status }) => status !== 'working')
    if (tasks.size >= MOST_TASKS && ended) tasks.delete(ended.taskId)
    if (tasks.size >= MOST_TASKS) throw invalid(`there are ${MOST_TASKS} tasks already: wait for the end of some`)
    const ttl = isObject(wanted) && typeof wanted.ttl === 'number' ? wanted.ttl : 0
    const task: Task = {
      ...{ taskId: tasks.has(id) ? randomUUID() : id, createdAt: now, updatedAt: now, lastLook: now, looking: 0 },
      ...{ ttl: Math.min(KEPT.most, Math.max(KEPT.least, ttl)), status: 'working', message: undefined },
      ...{ run: undefined, outcome: undefined, stop: new AbortController(), behind: undefined },
    }
    tasks.set(task.taskId, task)
    return task
  }

  /** Makes the call, or goes on waiting with it after its client was away. */
  function begin(task: Task): void {
    if (task.outcome || !task.run || task.status !== 'working') return
    const stop = new AbortController()
    task.stop = stop
    const become = (status: Task['status'], message?: string) => {
      if (task.stop === stop && task.status === 'working') {
        Object.assign(task, { status, message, updatedAt: clock() })
      }
    }
    task.outcome = task.run(stop.signal, (message) => {
      become('working', message)
      const done = whileWaiting(task)
      return () => {
        done()
        become('working')
      }
    })
    task.outcome.then(
      // An `isError` is no failed task: of those clients show that it failed, and not who refused, and why.
      () => become('completed'),
      (error: Error) => become('failed', error.message),
    )
  }

  /** Nobody looks any more: what waits for a human is let go, as if the caller had hung up. */
  function whileWaiting(task: Task): () => void {
    const timer = setInterval(() => {
      if (task.looking > 0 || clock() - task.lastLook <= GONE) return
      const { stop } = task
      Object.assign(task, { outcome: undefined, stop: new AbortController() })
      stop.abort()
    }, POLL)
    timer.unref()
    return () => clearInterval(timer)
  }

  function find(params: Raw): Task {
    const task = tasks.get(String(params.taskId))
    if (!task) throw invalid(`no task is named ${JSON.stringify(String(params.taskId).slice(0, 128))}`)
    task.lastLook = clock()
    begin(task)
    return task
  }

  const shown = (task: Task): Raw => ({
    ...{ taskId: task.taskId, status: task.status, ttl: task.ttl, pollInterval: POLL },
    ...{ createdAt: new Date(task.createdAt).toISOString(), lastUpdatedAt: new Date(task.updatedAt).toISOString() },
    ...(task.message !== undefined && { statusMessage: task.message }),
  })

  /** Asks the tool server about its own task, under its own name. */
  async function behind(task: Task, method: string, params: Raw, passing: Passing): Promise<Raw> {
    const { upstream, taskId } = task.behind!
    const answer = await upstream.request(method, { ...params, taskId }, passing)
    if (method === 'tasks/result') return answer
    if (['completed', 'failed', 'cancelled'].includes(answer.status as string)) {
      task.status = answer.status as Task['status']
    }
    return { ...answer, taskId: task.taskId }
  }

  return {
    /** Makes the call as a task of ours, whatever the tool server knows of tasks. */
    start(run: Running, wanted: unknown, upstream: Upstream): Raw {
      const task = add(randomUUID(), wanted)
      task.run = async (signal, onWaiting) => {
        const result = await run(signal, onWaiting)
        const taskId = isObject(result.task) ? result.task.taskId : undefined
        if (typeof taskId === 'string') task.behind = { upstream, taskId }
        return result
      }
      begin(task)
      return { task: shown(task) }
    },

    /** The answer to a call, of which the tool server may have made a task. */
    adopt(result: Raw, upstream: Upstream): Raw {
      const own = result.task
      if (!isObject(own) || typeof own.taskId !== 'string') return result
      const task = add(own.taskId, own)
      task.behind = { upstream, taskId: own.taskId }
      return { ...result, task: { ...own, taskId: task.taskId } }
    },

    async get(params: Raw, passing: Passing): Promise<Raw> {
      const task = find(params)
      return task.behind ? behind(task, 'tasks/get', params, passing) : shown(task)
    },

    /** Held until there is one. */
    async result(params: Raw, passing: Passing): Promise<Raw> {
      const task = find(params)
      task.looking++
      try {
        if (task.status === 'cancelled' && !task.behind) throw invalid('the task was cancelled')
        const own = task.outcome && (await unlessAborted(task.outcome, passing.signal))
        const result = task.behind ? await behind(task, 'tasks/result', params, passing) : own!
        return { ...result, _meta: { ...(result._meta as Raw), [RELATED]: { taskId: task.taskId } } }
      } finally {
        task.looking--
        task.lastLook = clock()
      }
    },

    async cancel(params: Raw, passing: Passing): Promise<Raw> {
      const task = find(params)
      if (task.behind) return behind(task, 'tasks/cancel', params, passing)
      if (task.status !== 'working') throw invalid(`the task is ${task.status} already`)
      Object.assign(task, { status: 'cancelled', updatedAt: clock() })
      task.stop.abort()
      return shown(task)
    },

    async list(passing: Passing): Promise<Raw> {
      const looks = [...tasks.values()].map((task) =>
        task.behind ? behind(task, 'tasks/get', {}, passing).catch(() => shown(task)) : shown(task),
      )
      return { tasks: await Promise.all(looks) }
    },

    /** One of them runs, or its client was here a moment ago. */
    areLookedAfter: (): boolean =>
      [...tasks.values()].some(
        ({ status, outcome, lastLook }) => (status === 'working' && outcome) || clock() - lastLook <= GONE,
      ),

    /** The client has left for good: nothing that it asked for may run any more. */
    close(): void {
      for (const { stop } of tasks.values()) stop.abort()
      tasks.clear()
    },
  }
}

export type Tasks = ReturnType<typeof createTasks>

const invalid = (message: string) => new ProtocolError(ProtocolErrorCode.InvalidParams, message)

function unlessAborted<T>(outcome: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = () => reject(new Error('nobody waits for the result'))
    if (signal.aborted) leave()
    signal.addEventListener('abort', leave, { once: true })
    outcome.then(resolve, reject)
  })
}
