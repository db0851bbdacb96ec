import type { Lang } from './document.ts'

/** The `{placeholders}` of a template. `{n|request|requests}` picks a word by the number n and asks for n only. */
export type Names<T extends string> = T extends `${string}{${infer Inner}}${infer Rest}`
  ? (Inner extends `${infer Name}|${string}` ? Name : Inner) | Names<Rest>
  : never

type Values<T extends string> = { readonly [Name in Names<T>]: string | number }

/** Looks a text up and fills it. A missing key, or a missing value for the Korean text, is a type error. */
export type Say<Ko extends Readonly<Record<string, string>>> = <K extends keyof Ko & string>(
  key: K,
  ...values: [Names<Ko[K]>] extends [never] ? [] : [Values<Ko[K]>]
) => string

/** The other language of a catalogue: the same keys, no more and no fewer. */
export type SameKeys<Ko> = { readonly [K in keyof Ko]: string }

/**
 * Two texts per key, one per language. Korean is the reference that keys and placeholders are checked against;
 * `test/report-catalogue.test.ts` compares the placeholders.
 */
export function words<const Ko extends Readonly<Record<string, string>>>(
  ko: Ko,
  en: SameKeys<Ko>,
): (lang: Lang) => Say<Ko> {
  const texts: Record<Lang, SameKeys<Ko>> = { ko, en }
  return (lang) =>
    (key, ...[values]) =>
      fill(texts[lang][key], (values ?? {}) as Record<string, string | number>)
}

/** @throws Error when a placeholder has no value: a hole in a report is worse than a failing test */
export function fill(template: string, values: Readonly<Record<string, string | number>>): string {
  return template.replace(/\{(\w+)(?:\|([^|}]*)\|([^}]*))?\}/g, (_, name: string, one?: string, many?: string) => {
    const value = values[name]
    if (value === undefined) throw new Error(`no value for {${name}} in "${template}"`)
    if (one === undefined) return String(value)
    return String(value) === '1' ? one : (many ?? one)
  })
}
