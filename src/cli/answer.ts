import { fetchFailed, patientRequest } from '../patient-fetch.ts'

interface Asked {
  readonly method?: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  readonly signal: AbortSignal
}

/** What the desk answers, its body read in one of three ways. */
export interface Answer {
  readonly status: number
  readonly ok: boolean
  header(name: string): string | undefined
  text(): Promise<string>
  /** As it comes, until its end. What `take` throws ends it. */
  read(take: (chunk: string) => void): Promise<void>
  /** Nobody wants it. */
  drop(): void
}

/**
 * Asks the desk, however long it holds its answer. Without web streams, which cost a program that carries one message
 * after the other a third of its time.
 * @throws TypeError whose cause has the system's code, or the reason of the signal
 */
export async function askDesk(url: string | URL, asked: Asked): Promise<Answer> {
  const answer = await patientRequest(url, asked)
  const { statusCode: status = 0, headers } = answer.setEncoding('utf8')
  // By events: to iterate over a stream costs more than to read the message that is in it.
  const read = (take: (chunk: string) => void) =>
    new Promise<void>((resolve, reject) => {
      const fail = (cause: unknown) => reject(fetchFailed(cause, asked.signal))
      answer.on('data', (chunk: string) => {
        try {
          take(chunk)
        } catch (error) {
          answer.destroy()
          reject(error)
        }
      })
      answer.on('end', resolve).on('error', fail)
    })
  return {
    ...{ status, ok: status >= 200 && status < 300, read },
    header: (name) => headers[name]?.toString(),
    async text() {
      let text = ''
      await read((chunk) => {
        text += chunk
      })
      return text
    },
    drop: () => void answer.resume(),
  }
}
