/** The container in which the server runs, and what its engine keeps of its output. */
export interface ServerContainer {
  readonly name: string
  /** ms since 1970; what came before was in another container, whose output went with it. */
  readonly createdAt: number
  /** The oldest line that the engine still has; null without any. */
  firstLine(limitMs: number): Promise<string | null>
  /** Every line between two instants (ms since 1970), each with the engine's own time in front, as it comes. */
  read(from: number, to: number, limitMs: number, line: (text: string) => void): Promise<Reading>
}

export interface Reading {
  /** False when the time ran out first. */
  readonly whole: boolean
  /** What the engine complains about. */
  readonly failure: string | null
}

/** How a check finds the container. */
export interface Containers {
  /**
   * null: there is no engine here, or none of its containers runs our server.
   * @throws EngineProblem when that cannot be known
   */
  server(): Promise<ServerContainer | null>
}

/** `inside`: we are in a container ourselves, from where the engine cannot be seen. */
export type EngineTrouble = 'inside' | 'hangs' | 'no_program' | 'forbidden' | 'down' | 'failed'

/** Why the engine cannot be asked. */
export class EngineProblem extends Error {
  readonly code: EngineTrouble
  constructor(code: EngineTrouble, message: string) {
    super(message)
    this.name = 'EngineProblem'
    this.code = code
  }
}
