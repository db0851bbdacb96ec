import type { McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { refusable } from './answer.ts'
import { automate, type BrowserSettings } from './browser.ts'
import { DEFAULT_TIMEOUT, LONGEST_TIMEOUT } from './limits.ts'

const selector = z.string().min(1).max(500).describe('A CSS selector, or text=...')
const actions = z
  .array(
    z.discriminatedUnion('action', [
      z.strictObject({
        action: z.literal('goto'),
        url: z
          .string()
          .max(4000)
          .regex(/^https?:\/\//),
      }),
      z.strictObject({ action: z.literal('click'), selector }),
      z.strictObject({ action: z.literal('fill'), selector, text: z.string().max(10_000) }),
      z.strictObject({ action: z.literal('text'), selector: selector.default('body') }),
      z.strictObject({ action: z.literal('screenshot') }),
    ]),
  )
  .min(1)
  .max(20)

export function addWebTools(server: McpServer, settings: BrowserSettings): void {
  server.registerTool(
    'web_automate',
    {
      description:
        'Opens a new browser (Chromium) and does the actions one after another, on http and https pages: goto, click, ' +
        'fill, text (reads), screenshot. It uses the network, outside of the sandbox, since that is what it is for; ' +
        'this machine, private networks and cloud metadata are out of its reach, except hosts in WEB_ALLOWED_HOSTS.',
      inputSchema: z.strictObject({
        actions,
        timeout_seconds: z
          .int()
          .min(1)
          .max(LONGEST_TIMEOUT)
          .default(DEFAULT_TIMEOUT)
          .describe('For all of it; then the browser is ended.'),
      }),
      outputSchema: z.strictObject({
        url: z.string().describe('where it ended'),
        title: z.string(),
        texts: z.array(z.string()),
        screenshots: z.int().describe('how many; they are images of the content'),
        timed_out: z.boolean(),
        failure: z.string().nullable().describe('the action that failed, and why'),
      }),
      annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
    },
    ({ actions, timeout_seconds }, { mcpReq }) =>
      refusable(async () => {
        const { screenshots, ...visit } = await automate(actions, timeout_seconds, settings, mcpReq.signal)
        const texts = [...visit.texts, `${visit.title} <${visit.url}>`, ...(visit.failure ? [visit.failure] : [])]
        return {
          content: [
            ...texts.map((text) => ({ type: 'text' as const, text })),
            ...screenshots.map((data) => ({ type: 'image' as const, data, mimeType: 'image/jpeg' })),
          ],
          structuredContent: { ...visit, screenshots: screenshots.length },
          ...(visit.failure !== null && { isError: true }),
        }
      }),
  )
}
