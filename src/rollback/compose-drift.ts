import type { System } from '../system/system.ts'
import { type Container, envOf, LABEL } from './compose-container.ts'
import { askOrFail } from './compose-docker.ts'
import type { Composed } from './compose-invocation.ts'
import { masker } from './mask.ts'
import type { Change } from './plan.ts'

/** Ports, volumes and the like: what the hash covers and the environment does not show. */
const OTHER = 'compose configuration (not the environment)'

/** Three of the four columns: what compose makes of its files, and what is in the container. The rest is the image's. */
export interface Environments {
  readonly composed: Readonly<Record<string, string>>
  readonly running: Readonly<Record<string, string>>
}

/** Without what the image itself sets, unless compose sets it anew. */
export async function environments(system: System, container: Container, composed: Composed): Promise<Environments> {
  const image = await imageEnv(system, container.image)
  const running = Object.entries(container.env).filter(([key, value]) => key in composed.env || image[key] !== value)
  return { composed: composed.env, running: Object.fromEntries(running) }
}

async function imageEnv(system: System, image: string): Promise<Record<string, string>> {
  const { ok, stdout } = await askOrFail(system, 'image', 'inspect', '--format', '{{json .Config.Env}}', image)
  return ok ? envOf((JSON.parse(stdout) as string[] | null) ?? []) : {}
}

/** Keys that differ between the two, sorted. */
export function differences({ composed, running }: Environments): string[] {
  const keys = new Set([...Object.keys(composed), ...Object.keys(running)])
  return [...keys].filter((key) => composed[key] !== running[key]).sort()
}

/**
 * Everything that a recreate would bring into force. Settings are shown as the server reads them, where an absent one
 * has its default; of other keys only whether they are set.
 */
export function driftOf(
  environments: Environments,
  container: Container,
  hash: string,
  defaults: Readonly<Record<string, string>>,
): Change[] {
  const { composed, running } = environments
  const differing = differences(environments)
  const mask = masker(container.id, new Set(Object.keys(defaults)))
  const shown = (key: string, value: string | undefined): string => {
    if (key in defaults) return mask(key, value || defaults[key]!)
    return value === undefined ? 'absent' : value === '' ? 'empty' : mask(key, value)
  }
  const was = container.labels[LABEL.hash] ?? ''
  // The hash covers the environment too: it tells of something else only where that is the same.
  if (differing.length === 0 && was !== hash) {
    return [{ what: OTHER, from: was.slice(0, 12), to: hash.slice(0, 12) }]
  }
  return differing
    .map((key) => ({ what: key, from: shown(key, running[key]), to: shown(key, composed[key]) }))
    .filter(({ from, to }) => from !== to)
}
