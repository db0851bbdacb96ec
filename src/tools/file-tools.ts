import type { McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { answer, refusable } from './answer.ts'
import { listFolder, MOST_ENTRIES, MOST_READ, readPart, writeWhole } from './files.ts'
import { Refusal } from './limits.ts'
import type { ToolSettings } from './server.ts'

/** Most characters of one file written. */
const MOST_WRITTEN = 1_000_000
const path = z.string().min(1).max(1000).describe('A path below the workspace, e.g. "notes/today.md".')
const encoding = z.enum(['utf8', 'base64'])

export function addFileTools(server: McpServer, { workspace }: ToolSettings): void {
  server.registerTool(
    'read_file',
    {
      description: `Reads a file of the workspace, up to ${MOST_READ / 1024} KiB at a time; what is no UTF-8 text comes as base64. Links are not followed.`,
      inputSchema: z.strictObject({ path, offset: z.int().min(0).default(0).describe('Byte to read from.') }),
      outputSchema: z.strictObject({
        encoding,
        content: z.string(),
        bytes: z.int().describe('size of the whole file'),
        next_offset: z.int().nullable().describe('where to read on; null at the end'),
      }),
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    ({ path, offset }) =>
      refusable(async () => {
        const part = await readPart(workspace, path, offset)
        const { bytes, next_offset } = part
        const more = next_offset === null ? [] : [`cut: ${bytes} bytes in all; read on with offset ${next_offset}`]
        const binary = part.encoding === 'base64' ? ['encoding: base64'] : []
        return answer([part.content, ...binary, ...more], part)
      }),
  )
  server.registerTool(
    'write_file',
    {
      description: 'Writes a whole file of the workspace, over what was there, and makes the folders on the way.',
      inputSchema: z.strictObject({
        path,
        content: z.string().max(MOST_WRITTEN),
        encoding: encoding.default('utf8').describe('base64 for what is no text'),
      }),
      outputSchema: z.strictObject({ path: z.string(), bytes: z.int() }),
      annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
    },
    ({ path, content, encoding }) =>
      refusable(async () => {
        const bytes = Buffer.from(content, encoding)
        // Node skips what is no base64, and would write something else than was approved.
        if (encoding === 'base64' && bytes.toString('base64') !== content.replace(/\s/g, '')) {
          throw new Refusal('content is not base64 (with its padding): nothing was written')
        }
        await writeWhole(workspace, path, bytes)
        return answer([`wrote ${bytes.length} bytes to ${path}`], { path, bytes: bytes.length })
      }),
  )
  server.registerTool(
    'list_files',
    {
      description: `Lists a folder of the workspace, not the folders in it; at most ${MOST_ENTRIES} entries.`,
      inputSchema: z.strictObject({ path: path.default('.') }),
      outputSchema: z.strictObject({
        entries: z.array(
          z.strictObject({
            name: z.string(),
            type: z.enum(['file', 'folder', 'link', 'other']),
            bytes: z.int().nullable(),
          }),
        ),
        cut: z.boolean().describe('there are more'),
      }),
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    ({ path }) =>
      refusable(async () => {
        const { entries, cut } = await listFolder(workspace, path)
        const lines = entries.map(({ name, type, bytes }) =>
          type === 'folder' ? `${name}/` : type === 'file' ? `${name} (${bytes} bytes)` : `${name} (${type})`,
        )
        const more = cut ? [`cut: only ${MOST_ENTRIES} entries are here`] : []
        return answer([lines.length === 0 ? 'empty' : lines.join('\n'), ...more], { entries, cut })
      }),
  )
}
