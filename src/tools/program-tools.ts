import type { McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { answer, refusable } from './answer.ts'
import { DEFAULT_TIMEOUT, INSIDE, LIMITS, LONGEST_TIMEOUT } from './limits.ts'
import { runProgram } from './programs.ts'
import type { Ran } from './run.ts'
import type { ToolSettings } from './server.ts'

/** A program's word has at most 128 KiB, and a character up to four bytes. */
const MOST_TEXT = 30_000
const text = z
  .string()
  .min(1)
  .max(MOST_TEXT)
  .regex(/^[^\0]*$/)
const timeout_seconds = z
  .int()
  .min(1)
  .max(LONGEST_TIMEOUT)
  .default(DEFAULT_TIMEOUT)
  .describe('It is ended, with all that it started, after so many seconds.')

const ran = z.strictObject({
  stdout: z.string(),
  stderr: z.string(),
  exit_code: z.int().nullable().describe('null when it was ended at its deadline; 128 + n when signal n ended it'),
  timed_out: z.boolean(),
  cut: z.boolean().describe('only the last bytes of its output are here'),
})

const annotations = { readOnlyHint: false, destructiveHint: true, idempotentHint: false }

export function addProgramTools(server: McpServer, settings: ToolSettings): void {
  const { memory, processes, file, output } = LIMITS
  const mib = (bytes: number) => `${bytes / 1024 ** 2} MiB`
  const limits =
    `${mib(memory)} of memory a process, ${processes} processes, ${mib(file)} a file; ` +
    `of its output the last ${output / 1024} KiB are kept.`
  const where = settings.sandbox
    ? `In a sandbox: no network, the system read-only, only ${INSIDE} (where it starts) and /tmp can be written. Limits: ${limits}`
    : `WITHOUT a sandbox (SANDBOX_ENABLED=false): it can reach what the desk's user can. It starts in the workspace. Limits: ${limits}`
  function add<T extends { readonly timeout_seconds: number }>(
    name: string,
    what: string,
    inputSchema: z.ZodType<T>,
    program: (input: T) => string[],
  ): void {
    const config = {
      ...{ description: `${what} ${where}`, inputSchema, outputSchema: ran },
      annotations: { ...annotations, openWorldHint: !settings.sandbox },
    }
    server.registerTool(name, config, (input, { mcpReq }) =>
      refusable(async () => {
        const result = await runProgram(program(input), input.timeout_seconds, settings, mcpReq.signal)
        return answer(textsOf(result, input.timeout_seconds), result, result.exit_code !== 0)
      }),
    )
  }

  const python = z.strictObject({ code: text, timeout_seconds })
  const shell = z.strictObject({ command: text, timeout_seconds })
  add('execute_python', 'Runs Python code (python3), and answers what it prints.', python, ({ code }) => [
    ...['python3', '-c', code],
  ])
  add('run_command', 'Runs a command line of sh, and answers what it prints.', shell, ({ command }) => [
    ...['/bin/sh', '-c', command],
  ])
}

/** What it printed, as it is; then what else there is to know. */
function textsOf({ stdout, stderr, exit_code, timed_out, cut }: Ran, seconds: number): string[] {
  const ending = timed_out ? `ended at its deadline of ${seconds} s` : `exit code ${exit_code}`
  return [
    ...(stdout === '' ? [] : [stdout.replace(/\n$/, '')]),
    ...(stderr === '' ? [] : [`stderr:\n${stderr.replace(/\n$/, '')}`]),
    ...(cut ? [`cut: only the last ${LIMITS.output} bytes of each output were kept`] : []),
    ...(exit_code !== 0 ? [ending] : stdout === '' && stderr === '' ? [`no output, ${ending}`] : []),
  ]
}
