import { parseEnv } from '../env-file.ts'
import type { System } from '../system/system.ts'
import { type Container, containersOf, envFileOf, isStray, type Service } from './compose-container.ts'
import { askOrFail } from './compose-docker.ts'
import { driftOf, type Environments, environments } from './compose-drift.ts'
import { type Composed, composed, composedHash, upCommand } from './compose-invocation.ts'
import type { ComposeDeps, ComposeReference } from './compose-runtime.ts'
import { composeText } from './compose-words.ts'
import { readHealth } from './health.ts'
import { Refusal, type Text } from './plan.ts'
import type { Observed } from './runtime.ts'

/** All that a plan rests on, and every reason not to make one. Reads only. @throws Refusal */
export async function observeService(deps: ComposeDeps, reference: ComposeReference): Promise<Observed> {
  const { system, defaults } = deps
  const { service, tool } = reference
  await assertFiles(system, service)
  const [containers, made, hash] = await Promise.all([
    containersOf(system, service),
    composed(system, tool, service),
    composedHash(system, tool, service),
  ])
  const container = theOne(containers, reference)
  await assertImage(system, container, made)
  const [both, health] = await Promise.all([
    environments(system, container, made),
    container.state === 'running' && container.url ? readHealth(system, container.url) : undefined,
  ])
  return {
    identity: [
      { what: 'container', value: container.id },
      { what: 'image', value: container.image },
      { what: 'compose configuration', value: hash },
    ],
    running: ['running', 'restarting'].includes(container.state),
    ...(container.url ? { url: container.url } : {}),
    health,
    configured: settingsOf(made.env, defaults),
    environments: both,
    drift: driftOf(both, container, hash, defaults),
    fixed: await fixedKeys(system, service, both, defaults),
  }
}

async function assertFiles(system: System, service: Service): Promise<void> {
  for (const file of [...service.files, ...service.envFiles]) {
    if ((await system.stat(file)) === null) throw new Refusal(composeText('file_gone', { file }))
  }
}

function theOne(containers: readonly Container[], { service, tool }: ComposeReference): Container {
  const settled = containers.filter((container) => !isStray(container))
  const [container, ...others] = settled.length > 0 ? settled : containers
  if (!container) {
    const { project, service: name } = service
    throw new Refusal(composeText('gone', { project, service: name, command: upCommand(tool, service).join(' ') }))
  }
  if (others.length > 0) throw new Refusal(severalText([container, ...others]))
  if (container.state === 'paused') throw new Refusal(composeText('paused', { name: container.name }))
  return container
}

export const severalText = (containers: readonly Container[]): Text =>
  composeText('several', {
    list: containers
      .map(({ name, state }) => `${name} (${state})`)
      .sort()
      .join(', '),
  })

/** A recreate takes whatever the image's name means by then: that must be what runs now. */
async function assertImage(
  system: System,
  container: Container,
  { image = container.imageName }: Composed,
): Promise<void> {
  const { ok, stdout } = await askOrFail(system, 'image', 'inspect', '--format', '{{.Id}}', image)
  const id = container.image
  if (!ok) throw new Refusal(composeText('image_gone', { image, id }))
  if (stdout.trim() !== id) throw new Refusal(composeText('image_moved', { image, id }))
}

/** Settings that compose gives another value than the file that is edited, or gives although the file does not. */
async function fixedKeys(
  system: System,
  service: Service,
  { composed }: Environments,
  defaults: Readonly<Record<string, string>>,
): Promise<Record<string, Text>> {
  const env = envFileOf(service)
  const text = (await system.stat(env)) === null ? '' : await system.readText(env)
  const inFile = new Map(parseEnv(text).entries.map(({ key, value }) => [key, value]))
  const files = service.files.join(', ')
  const fixed = Object.keys(defaults).filter((key) => key in composed && composed[key] !== inFile.get(key))
  return Object.fromEntries(fixed.map((key) => [key, composeText('fixed_by_file', { files, key, env })]))
}

/** What a server that starts with this environment does: an empty value is the default. */
const settingsOf = (
  env: Readonly<Record<string, string>>,
  defaults: Readonly<Record<string, string>>,
): Record<string, string> =>
  Object.fromEntries(Object.entries(defaults).map(([key, byDefault]) => [key, env[key] || byDefault]))
