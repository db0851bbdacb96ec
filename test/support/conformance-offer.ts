import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js'
import {
  CreateMessageResultSchema,
  ElicitResultSchema,
  type ServerNotification,
  type ServerRequest,
} from '@modelcontextprotocol/sdk/types.js'

/** What the conformance suite asks for by name, as its descriptions say. */
type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>
// biome-ignore lint/suspicious/noExplicitAny: whatever the suite sends.
type Run = (args: any, extra: Extra) => object | Promise<object>

const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/iZk9HQAAAABJRU5ErkJggg=='
const WAVE = 'UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAAAAA=='
const text = (words: string) => ({ type: 'text', text: words })
const image = { type: 'image', data: PIXEL, mimeType: 'image/png' }
const embedded = (uri: string, mimeType: string, words: string) => ({
  type: 'resource',
  resource: { uri, mimeType, text: words },
})
const answer = (...content: object[]) => ({ content })
const string = { type: 'string' }

async function ask(extra: Extra, message: string, properties: object, required: string[] = []) {
  const params = { message, requestedSchema: { type: 'object', properties, required } }
  const request = { method: 'elicitation/create', params } as ServerRequest
  const { action, content } = await extra.sendRequest(request, ElicitResultSchema)
  return answer(text(`Elicitation completed: action=${action}, content=${JSON.stringify(content)}`))
}

async function sample(extra: Extra, prompt: string) {
  const messages = [{ role: 'user' as const, content: { type: 'text' as const, text: prompt } }]
  const request: ServerRequest = { method: 'sampling/createMessage', params: { messages, maxTokens: 100 } }
  const { content } = await extra.sendRequest(request, CreateMessageResultSchema)
  return answer(text(`LLM response: ${JSON.stringify(content)}`))
}

async function log(extra: Extra, data: string) {
  await extra.sendNotification({ method: 'notifications/message', params: { level: 'info', data } })
}

async function progress({ _meta, sendNotification }: Extra, done: number) {
  const progressToken = _meta?.progressToken
  if (progressToken === undefined) return
  await sendNotification({ method: 'notifications/progress', params: { progressToken, progress: done, total: 100 } })
}

const options = ['option1', 'option2', 'option3']
const titled = ['First', 'Second', 'Third'].map((title, n) => ({ const: `value${n + 1}`, title: `${title} Option` }))

export const TOOLS: Readonly<Record<string, Run>> = {
  test_simple_text: () => answer(text('This is a simple text response for testing.')),
  test_image_content: () => answer(image),
  test_audio_content: () => answer({ type: 'audio', data: WAVE, mimeType: 'audio/wav' }),
  test_embedded_resource: () =>
    answer(embedded('test://embedded-resource', 'text/plain', 'This is an embedded resource content.')),
  test_multiple_content_types: () =>
    answer(
      text('Multiple content types test:'),
      image,
      embedded('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}'),
    ),
  async test_tool_with_logging(_, extra) {
    await log(extra, 'Tool execution started')
    await log(extra, 'Tool processing data')
    await log(extra, 'Tool execution completed')
    return answer(text('It has logged.'))
  },
  async test_tool_with_progress(_, extra) {
    await progress(extra, 0)
    await progress(extra, 50)
    await progress(extra, 100)
    return answer(text('It has progressed.'))
  },
  test_error_handling: () => ({
    ...answer(text('This tool intentionally returns an error for testing')),
    isError: true,
  }),
  test_sampling: ({ prompt }, extra) => sample(extra, prompt),
  test_elicitation: ({ message }, extra) =>
    ask(extra, message, { username: string, email: string }, ['username', 'email']),
  test_elicitation_sep1034_defaults: (_, extra) =>
    ask(extra, 'Defaults of each kind', {
      name: { type: 'string', default: 'John Doe' },
      age: { type: 'integer', default: 30 },
      score: { type: 'number', default: 95.5 },
      status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
      verified: { type: 'boolean', default: true },
    }),
  test_elicitation_sep1330_enums: (_, extra) =>
    ask(extra, 'Choices of each kind', {
      untitledSingle: { type: 'string', enum: options },
      titledSingle: { type: 'string', oneOf: titled },
      legacyEnum: { type: 'string', enum: ['opt1', 'opt2', 'opt3'], enumNames: ['One', 'Two', 'Three'] },
      untitledMulti: { type: 'array', items: { type: 'string', enum: options } },
      titledMulti: { type: 'array', items: { anyOf: titled } },
    }),
  // Whoever called comes back for the answer; over the standard streams there is nothing to come back to.
  test_reconnection(_, { closeSSEStream }) {
    closeSSEStream?.()
    return answer(text('It was fetched after a reconnection.'))
  },
  json_schema_2020_12_tool: (args) => answer(text(JSON.stringify(args))),
}

/** The arguments of the tools that take any. */
export const SCHEMAS: Readonly<Record<string, object>> = {
  test_sampling: { type: 'object', properties: { prompt: string }, required: ['prompt'] },
  test_elicitation: { type: 'object', properties: { message: string }, required: ['message'] },
  json_schema_2020_12_tool: {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    $defs: { address: { type: 'object', properties: { street: string, city: string } } },
    properties: { name: string, address: { $ref: '#/$defs/address' } },
    additionalProperties: false,
  },
}

export const RESOURCES: Readonly<Record<string, object>> = {
  'test://static-text': { mimeType: 'text/plain', text: 'This is the content of the static text resource.' },
  'test://static-binary': { mimeType: 'image/png', blob: PIXEL },
  'test://watched-resource': { mimeType: 'text/plain', text: 'It can be watched.' },
}

export const templated = (id: string) => ({
  mimeType: 'application/json',
  text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }),
})

const user = (...contents: object[]) => contents.map((content) => ({ role: 'user', content }))
type Prompt = { takes: readonly string[]; messages: (args: Readonly<Record<string, string>>) => object[] }

export const PROMPTS: Readonly<Record<string, Prompt>> = {
  test_simple_prompt: { takes: [], messages: () => user(text('This is a simple prompt for testing.')) },
  test_prompt_with_arguments: {
    takes: ['arg1', 'arg2'],
    messages: ({ arg1, arg2 }) => user(text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)),
  },
  test_prompt_with_embedded_resource: {
    takes: ['resourceUri'],
    messages: ({ resourceUri }) =>
      user(
        embedded(resourceUri!, 'text/plain', 'Embedded resource content for testing.'),
        text('Please process the embedded resource above.'),
      ),
  },
  test_prompt_with_image: { takes: [], messages: () => user(image, text('Please analyze the image above.')) },
}
