import { dirname } from 'node:path'
import type { System } from '../system/system.ts'
import { containersOf, type Service } from './compose-container.ts'
import { lastLine } from './compose-docker.ts'
import { composeFailure } from './compose-words.ts'

/** The server's user in the container. */
const UID = 1000
const BLOCK = 512

/**
 * Puts a rollback's result where the server looks for it: the rollback ran out here, the server's data are on a volume.
 * Works on a stopped container, too.
 */
export async function handOver(system: System, service: Service, id: string, result: string): Promise<void> {
  const [container] = await containersOf(system, service)
  if (!container) throw composeFailure('not_handed_over', { message: `no container for ${service.service}` })
  const data = dirname(container.env.SECURITY_DB_PATH || '/app/data/security.db')
  const archive = tar([
    { path: 'rollbacks/' },
    { path: `rollbacks/${id}/` },
    { path: `rollbacks/${id}/result.json`, content: result },
  ])
  const words = ['docker', 'cp', '-', `${container.id}:${data}`]
  const copied = await system.run(words, { timeoutMs: 10_000, killAfterMs: 500, input: archive })
  if (!copied.ok) throw composeFailure('not_handed_over', { message: lastLine(copied.stderr) })
}

interface Entry {
  readonly path: string
  /** Absent: a folder. */
  readonly content?: string
}

/** A tar archive as text: all that `docker cp` takes on its standard input. */
function tar(entries: readonly Entry[]): string {
  const whole = (text: string): string => text + '\0'.repeat((BLOCK - (Buffer.byteLength(text) % BLOCK)) % BLOCK)
  return entries.map((entry) => header(entry) + whole(entry.content ?? '')).join('') + '\0'.repeat(2 * BLOCK)
}

function header({ path, content }: Entry): string {
  const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, '0')}\0`
  const fields = (checksum: string): string =>
    [
      path.padEnd(100, '\0'),
      octal(content === undefined ? 0o755 : 0o644, 8),
      octal(UID, 8),
      octal(UID, 8),
      octal(Buffer.byteLength(content ?? ''), 12),
      octal(0, 12),
      checksum,
      content === undefined ? '5' : '0',
      '\0'.repeat(100),
      'ustar\x0000',
    ]
      .join('')
      .padEnd(BLOCK, '\0')
  const sum = [...Buffer.from(fields(' '.repeat(8)), 'latin1')].reduce((a, b) => a + b, 0)
  return fields(`${sum.toString(8).padStart(6, '0')}\0 `)
}
