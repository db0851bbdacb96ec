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
  /** As it comes. */
  chunks(): AsyncGenerator<string, void>
  /** Nobody wants it. */
  drop(): void
}

/**
 * Asks the desk, however long it holds its answer. Without web streams, which cost a program that carries one message
 * after the other a third of its time.
 * @throws TypeError whose cause has the system's code, or the reason of the signal
 */
export async function askDesk(url: string, asked: Asked): Promise<Answer> {
  const answer = await patientRequest(url, asked)
  const { statusCode: status = 0, headers } = answer.setEncoding('utf8')
  async function* chunks() {
    try {
      for await (const chunk of answer) yield chunk as string
    } catch (cause) {
      throw fetchFailed(cause, asked.signal)
    }
  }
  return {
    ...{ status, ok: status >= 200 && status < 300, chunks },
    header: (name) => headers[name]?.toString(),
    async text() {
      let text = ''
      for await (const chunk of chunks()) text += chunk
      return text
    },
    drop: () => void answer.resume(),
  }
}
