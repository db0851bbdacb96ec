import stringWidth from 'string-width'

/**
 * What a terminal would obey, hide or reorder: controls (ESC, CSI, line ends), format and bidi marks, halves of
 * surrogate pairs, line separators, and characters that are drawn as nothing (Hangul fillers, variation selectors).
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu
/** The joiners and selectors inside an emoji are part of what is seen. */
const EMOJI =
  /[0-9#*]\ufe0f\u20e3|\p{Extended_Pictographic}\ufe0f?\p{Emoji_Modifier}?(?:\u200d\p{Extended_Pictographic}\ufe0f?\p{Emoji_Modifier}?)*/gu
const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/**
 * Untrusted text as one line that is safe on a terminal and in a document: what UNSAFE names becomes visible
 * (`\u001b`, `\u202e`, `\n`); Hangul, emoji and every other letter stay.
 */
export function printable(text: string): string {
  let safe = ''
  let end = 0
  for (const emoji of text.matchAll(EMOJI)) {
    safe += visible(text.slice(end, emoji.index)) + emoji[0]
    end = emoji.index + emoji[0].length
  }
  return safe + visible(text.slice(end))
}

/** Like `printable`, for a block of text whose own line ends are kept. */
export const printableLines = (text: string): string =>
  text
    .split(/\r\n|\n/)
    .map(printable)
    .join('\n')

/** JSON text whose dangerous characters are written as `\uXXXX`: the same value for a parser, harmless for a terminal. */
export const printableJson = (json: string): string =>
  json.replace(UNSAFE, (char) => (char === '\n' ? char : [...utf16(char)].map((unit) => `\\u${hex(unit)}`).join('')))

/** Columns that the text takes on a terminal: Hangul and emoji take two. */
export const displayWidth = (text: string): number => stringWidth(text)

/** Letters as a reader counts them. */
export const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' })

/** Cut to at most `columns`, `…` included; a letter is never halved. Reads no further than it must. */
export function truncate(text: string, columns: number): string {
  let width = 0
  let fits = ''
  let whole = ''
  for (const { segment } of graphemes.segment(text)) {
    width += stringWidth(segment)
    if (width > columns) return columns > 0 ? `${fits}…` : ''
    whole += segment
    if (width < columns) fits = whole
  }
  return text
}

/** Padded with spaces to `columns`; longer text stays as it is. */
export function pad(text: string, columns: number, align: 'left' | 'right' = 'left'): string {
  const fill = ' '.repeat(Math.max(0, columns - displayWidth(text)))
  return align === 'left' ? text + fill : fill + text
}

function visible(text: string): string {
  return text.replace(UNSAFE, (char) => {
    const code = char.codePointAt(0)!
    return SHORT[char] ?? (code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${hex(code)}`)
  })
}

const hex = (unit: number): string => unit.toString(16).padStart(4, '0')

function* utf16(char: string): Iterable<number> {
  for (let i = 0; i < char.length; i++) yield char.charCodeAt(i)
}
