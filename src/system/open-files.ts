import { readdir, readFile, stat } from 'node:fs/promises'

/** Who has one of some files open. */
export interface OpenFiles {
  readonly holders: readonly { readonly pid: number; readonly program: string }[]
  /** Processes that could be looked into, and those of other users that could not. */
  readonly looked: number
  readonly hidden: number
}

/** Every process of this machine but this one; null where the system does not tell (no /proc). */
export async function whoHasOpen(paths: readonly string[], folder = '/proc'): Promise<OpenFiles | null> {
  const pids = (await readdir(folder).catch(() => [])).filter((name) => /^\d+$/.test(name))
  if (pids.length === 0) return null
  const wanted = new Set((await Promise.all(paths.map(identityOf))).filter((found) => found !== undefined))
  const holders: { pid: number; program: string }[] = []
  let looked = 0
  let hidden = 0
  for (const pid of pids) {
    if (Number(pid) === process.pid) continue
    try {
      const open = await readdir(`${folder}/${pid}/fd`)
      const found = await Promise.all(open.map((fd) => identityOf(`${folder}/${pid}/fd/${fd}`)))
      looked++
      if (found.some((id) => id !== undefined && wanted.has(id))) {
        holders.push({ pid: Number(pid), program: await programOf(`${folder}/${pid}`) })
      }
    } catch (error) {
      // It has ended meanwhile, or it belongs to somebody else.
      if (['EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) hidden++
    }
  }
  return { holders, looked, hidden }
}

const identityOf = async (path: string): Promise<string | undefined> => {
  const facts = await stat(path).catch(() => undefined)
  return facts && `${facts.dev}:${facts.ino}`
}

const programOf = async (process: string): Promise<string> =>
  (await readFile(`${process}/cmdline`, 'utf8').catch(() => '')).split('\0').join(' ').trim().slice(0, 200)
