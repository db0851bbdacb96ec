import type { ProgressCallback, StandardSchemaV1 } from '@modelcontextprotocol/client'

/** A JSON object as the other side sent it. Nothing is dropped from it and nothing added. */
export type Raw = Readonly<Record<string, unknown>>

/** Takes an answer as it is: what the libraries do not know of goes through all the same. */
export const asSent: StandardSchemaV1<unknown, Raw> = {
  '~standard': { version: 1, vendor: 'approval-ops', validate: (value) => ({ value: value as Raw }) },
}

export const isObject = (value: unknown): value is Raw =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The parameters without the caller's progress token, which means something on the caller's connection alone. */
export function withoutToken(params: Raw): Raw {
  const { _meta, ...rest } = params
  if (!isObject(_meta)) return rest
  const { progressToken: _, ...meta } = _meta
  return Object.keys(meta).length > 0 ? { ...rest, _meta: meta } : rest
}

/** Hands progress on to whoever sent these parameters, if they asked for it. */
export function progressTo(
  params: Raw,
  notify: (method: string, params: Record<string, unknown>) => void,
): { readonly onprogress?: ProgressCallback } {
  const token = progressToken(params)
  if (token === undefined) return {}
  return { onprogress: (progress) => notify('notifications/progress', { ...progress, progressToken: token }) }
}

export function progressToken(params: Raw): string | number | undefined {
  const token = isObject(params._meta) ? params._meta.progressToken : undefined
  return typeof token === 'string' || typeof token === 'number' ? token : undefined
}
