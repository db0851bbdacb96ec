import { randomUUID } from 'node:crypto'
import { startDetached } from './detached.ts'
import { diskFacts, fileFacts, list, readBytes, readText, realPath } from './files.ts'
import { http } from './http.ts'
import { readFrom } from './lines.ts'
import { endGroup, isAlive, isGroupAlive, processAt, signalProcess } from './processes.ts'
import { run } from './run.ts'
import type { System } from './system.ts'
import { appendLine, assertReplaceable, discardUnfinished, makeFolder, remove, replaceFile } from './write.ts'

/** The machine itself. */
export const realSystem: System = {
  run,
  http,
  stat: fileFacts,
  statfs: diskFacts,
  readText,
  readBytes,
  readFrom,
  list,
  realPath,
  replaceFile,
  discardUnfinished,
  assertReplaceable,
  appendLine,
  makeFolder,
  remove,
  newId: randomUUID,
  self: async () => (await processAt(process.pid))!,
  processAt,
  isAlive,
  isGroupAlive,
  endGroup,
  signal: signalProcess,
  startDetached,
}
