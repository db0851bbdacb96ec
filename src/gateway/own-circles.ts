import { type Asked, type Circle, type CircleDeps, createCircle } from './circle.ts'
import type { UpstreamConfig } from './config.ts'
import type { Raw } from './raw.ts'

/** What a tool server may ask, and what a client must have said that it can do. */
const QUESTIONS: Readonly<Record<string, string>> = {
  'sampling/createMessage': 'sampling',
  'elicitation/create': 'elicitation',
  'roots/list': 'roots',
}
/** A client that can do any of this may be asked. */
export const ASKABLE = Object.values(QUESTIONS)
export const canAnswer = (capabilities: Raw, method: string): boolean =>
  Object.hasOwn(QUESTIONS, method) && QUESTIONS[method]! in capabilities

/** Clients that have tool servers, i.e. processes, to themselves. One that comes when there are as many shares. */
const MOST = 16

/** The tool servers of clients that can be asked, each client's for itself. */
export function createOwnCircles(deps: CircleDeps) {
  const circles = new Set<Circle>()
  let configs: readonly UpstreamConfig[] = []

  return {
    isFull: () => circles.size >= MOST,

    /** Undefined when there are too many. */
    open(asked: Asked): Circle | undefined {
      if (circles.size >= MOST) return undefined
      const circle = createCircle(deps, asked)
      circles.add(circle)
      void circle.configure(configs)
      return circle
    },

    async close(circle: Circle): Promise<void> {
      if (circles.delete(circle)) await circle.close()
    },

    async configure(next: readonly UpstreamConfig[]): Promise<void> {
      configs = next
      await Promise.all([...circles].map((circle) => circle.configure(next)))
    },

    /** How many clients have this tool server to themselves, and of how many it is down. */
    facts(name: string): { clients: number; down: number } {
      const own = [...circles].flatMap((circle) => circle.upstreams().filter((upstream) => upstream.name === name))
      return { clients: own.length, down: own.filter((upstream) => upstream.facts().status === 'down').length }
    },

    async closeAll(): Promise<void> {
      await Promise.all([...circles].map((circle) => circle.close()))
      circles.clear()
    },
  }
}

export type OwnCircles = ReturnType<typeof createOwnCircles>
