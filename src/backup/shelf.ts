import { join } from 'node:path'
import type { System } from '../system/system.ts'
import { BACKUP_NAME, MANIFEST_FILE, type Manifest, parseManifest } from './manifest.ts'

/** A backup as it lies there: whole as far as names and sizes tell, or what is wrong with it. */
export type Shelved =
  | { readonly name: string; readonly manifest: Manifest; readonly problem: null }
  | { readonly name: string; readonly manifest: Manifest | null; readonly problem: string }
export type Whole = Shelved & { readonly problem: null }

/**
 * The backups in a folder, oldest first, each compared with its manifest by the presence and the size of its files.
 * Their contents are not read: `verify` does that.
 */
export async function shelf(system: System, folder: string): Promise<Shelved[]> {
  const names = (await system.list(folder)).filter((name) => BACKUP_NAME.test(name))
  return await Promise.all(names.map((name) => lookAt(system, folder, name)))
}

export async function lookAt(system: System, folder: string, name: string): Promise<Shelved> {
  let manifest: Manifest | null = null
  try {
    manifest = parseManifest(await system.readText(join(folder, name, MANIFEST_FILE)), name)
    for (const { file, bytes } of [manifest.database, ...manifest.others]) {
      const facts = await system.stat(join(folder, name, file))
      if (facts?.kind !== 'file') return { name, manifest, problem: `${file} is missing` }
      if (facts.size !== bytes) return { name, manifest, problem: `${file} has ${facts.size} bytes, not ${bytes}` }
    }
    return { name, manifest, problem: null }
  } catch (error) {
    return { name, manifest, problem: (error as Error).message }
  }
}

export const isWhole = (shelved: Shelved): shelved is Whole => shelved.problem === null

/**
 * The newest backup that is whole. One that is dated in the future was made under a wrong clock, and is taken only
 * where there is no other.
 */
export function newestWhole(backups: readonly Shelved[], now: number): Whole | undefined {
  const whole = backups.filter(isWhole).sort((a, b) => takenAt(a) - takenAt(b))
  return whole.findLast((backup) => takenAt(backup) <= now) ?? whole.at(-1)
}

export const takenAt = ({ manifest }: Whole): number => Date.parse(manifest.taken_at)
