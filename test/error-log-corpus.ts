import { readFileSync } from 'node:fs'

export interface LabelledLine {
  /** `E` starts an error event, `+` belongs to the event above it, `-` is no error. */
  readonly label: 'E' | '+' | '-'
  readonly text: string
  /** The number of the event, from 1; 0 for lines that are no error. */
  readonly event: number
}

/** The labelled lines of error-log-corpus.txt. */
export function corpus(): LabelledLine[] {
  let event = 0
  return readFileSync(new URL('./error-log-corpus.txt', import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const label = line[0] as LabelledLine['label']
      if (!'E+-'.includes(label) || line[1] !== '|') throw new Error(`not a labelled line: ${line}`)
      if (label === 'E') event++
      return { label, text: line.slice(2).replaceAll('\\e', '\x1b'), event: label === '-' ? 0 : event }
    })
}

export interface Score {
  readonly precision: number
  readonly recall: number
  readonly wrong: readonly string[]
  readonly missed: readonly string[]
}

/** `found`: the indexes of the lines that were reported, one per event. */
export function score(lines: readonly LabelledLine[], found: readonly number[]): Score {
  const events = new Set(lines.filter((line) => line.event > 0).map((line) => line.event))
  const hit = new Set<number>()
  const wrong: string[] = []
  for (const index of found) {
    const { event, text } = lines[index]!
    if (event === 0 || hit.has(event)) wrong.push(text)
    else hit.add(event)
  }
  return {
    precision: hit.size / found.length,
    recall: hit.size / events.size,
    wrong,
    missed: lines.filter((line) => line.label === 'E' && !hit.has(line.event)).map((line) => line.text),
  }
}
