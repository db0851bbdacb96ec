import type { CallToolResult } from '@modelcontextprotocol/server'
import { Refusal } from './limits.ts'

/** Text for people and models, facts for programs. */
export const answer = (texts: readonly string[], facts: object, isError = false): CallToolResult => ({
  content: texts.map((text) => ({ type: 'text', text })),
  structuredContent: { ...facts },
  ...(isError && { isError }),
})

/** A refusal is an answer; what nobody foresaw is the library's to report. */
export async function refusable(work: () => Promise<CallToolResult>): Promise<CallToolResult> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return { content: [{ type: 'text', text: error.message }], isError: true }
  }
}
