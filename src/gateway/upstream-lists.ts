import { asSent, isObject, type Raw } from './raw.ts'

export const LIST_METHODS = {
  tools: 'tools/list',
  resources: 'resources/list',
  resourceTemplates: 'resources/templates/list',
  prompts: 'prompts/list',
} as const
export type ListName = keyof typeof LIST_METHODS
export const LIST_NAMES = Object.keys(LIST_METHODS) as ListName[]

/** What an upstream offers, as it said last. */
export type Lists = Readonly<Record<ListName, readonly Raw[]>>
export const NO_LISTS: Lists = { tools: [], resources: [], resourceTemplates: [], prompts: [] }

/** What each list change makes read again. */
export const CHANGED: Readonly<Record<string, readonly ListName[]>> = {
  'notifications/tools/list_changed': ['tools'],
  'notifications/resources/list_changed': ['resources', 'resourceTemplates'],
  'notifications/prompts/list_changed': ['prompts'],
}

/** How long one page may take, ms. */
const PAGE_TIMEOUT = 30_000
const MAX_PAGES = 1000

interface Asker {
  request(
    request: { method: string; params?: Record<string, unknown> },
    schema: typeof asSent,
    options: { timeout: number },
  ): Promise<Raw>
  getServerCapabilities(): object | undefined
}

/** Reads one list whole, page by page. An upstream that does not have such a list has an empty one. */
export async function readList(client: Asker, list: ListName): Promise<readonly Raw[]> {
  const capability = list === 'resourceTemplates' ? 'resources' : list
  if (!(capability in (client.getServerCapabilities() ?? {}))) return []
  const items: Raw[] = []
  let cursor: unknown
  for (let page = 0; page < MAX_PAGES; page++) {
    const params = cursor === undefined ? {} : { params: { cursor } }
    const answer = await client.request({ method: LIST_METHODS[list], ...params }, asSent, { timeout: PAGE_TIMEOUT })
    const found = answer[list]
    if (Array.isArray(found)) items.push(...found.filter(isObject))
    cursor = answer.nextCursor
    if (typeof cursor !== 'string') return items
  }
  throw new Error(`${LIST_METHODS[list]} has more than ${MAX_PAGES} pages`)
}
