import { readdir, readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { signalGroup } from './groups.ts'
import type { ProcessIdentity } from './system.ts'

/** How often a group that was asked to end is looked at. */
const LOOK_MS = 100

interface Stat {
  readonly state: string
  readonly pgid: number
  readonly start: string
}

export async function processAt(pid: number): Promise<ProcessIdentity | null> {
  const stat = await statOf(pid)
  if (stat ? isGone(stat) : !answersSignal(pid)) return null
  return { host: hostname(), pid, start: stat?.start ?? '', boot: await bootId() }
}

export async function isAlive(known: ProcessIdentity): Promise<boolean> {
  if (known.host !== hostname()) return true
  const now = await processAt(known.pid)
  return now !== null && same(known, now)
}

export async function isGroupAlive(leader: ProcessIdentity): Promise<boolean> {
  if (leader.host !== hostname()) return true
  if (leader.boot !== (await bootId()) || !answersSignal(-leader.pid)) return false
  const now = await processAt(leader.pid)
  if (now && !same(leader, now)) return false
  // A signal is also answered by members that are dead and only wait to be reaped.
  const members = await Promise.all((await pids()).map(statOf))
  return members.length === 0 || members.some((stat) => stat?.pgid === leader.pid && !isGone(stat))
}

export async function endGroup(leader: ProcessIdentity, killAfterMs: number): Promise<void> {
  const until = performance.now() + killAfterMs
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    if (!(await isGroupAlive(leader))) return
    signalGroup(leader.pid, signal)
    while (signal === 'SIGTERM' && performance.now() < until && (await isGroupAlive(leader))) await sleep(LOOK_MS)
  }
}

export async function signalProcess(known: ProcessIdentity, signal: NodeJS.Signals): Promise<boolean> {
  const now = await processAt(known.pid)
  if (known.host !== hostname() || !now || !same(known, now)) return false
  try {
    process.kill(known.pid, signal)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}

const same = (a: ProcessIdentity, b: ProcessIdentity): boolean => a.start === b.start && a.boot === b.boot

const isGone = (stat: Stat): boolean => stat.state === 'Z' || stat.state === 'X'

async function statOf(pid: number): Promise<Stat | null> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'latin1')
    // The second field is the program's name in brackets, and may itself contain brackets and spaces.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return { state: fields[0]!, pgid: Number(fields[2]), start: fields[19]! }
  } catch {
    return null
  }
}

const pids = async (): Promise<number[]> => (await readdir('/proc').catch(() => [])).map(Number).filter((n) => n > 0)

const bootId = async (): Promise<string> =>
  (await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')).trim()

/** True also when it exists but is not ours to signal. */
function answersSignal(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
