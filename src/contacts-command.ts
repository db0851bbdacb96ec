import { BrokenFileError } from './approval/json-file.ts'
import { type Io, screenOf } from './command.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { contactFor, readContacts } from './jobs/contacts.ts'
import { lenientConfig } from './lenient-config.ts'
import { helpPage } from './option-help.ts'
import { type Contact, contactWords, SITUATIONS, type Situation } from './report/contact.ts'
import { type ContactsData, contactsFailure, contactsReport } from './report/contacts.ts'
import { LANGUAGES, type Lang } from './report/document.ts'
import { printable } from './report/printable.ts'
import { render } from './report/render.ts'
import { realSystem } from './system/real.ts'
import { VERB_HELP, verbOptions } from './verb-options.ts'

/** `npm run contacts -- who [SITUATION]`. Reads contacts.json and nothing else: it answers when nothing else does. */
export async function contactsCommand(io: Io): Promise<ExitCode> {
  io.stdout.on?.('error', (error) => {
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error
  })
  const say = (code: ExitCode, sentence: string): ExitCode => {
    io.stderr.write(`${printable(sentence)}\n`)
    return code
  }
  const { settings, isWhole } = lenientConfig(io.env)
  const options = verbOptions(io.argv.slice(2), 'npm run contacts', settings.OPS_LANG)
  if ('problem' in options) return say(EXIT.USAGE, options.problem)
  const { lang, format, words } = options
  const text = contactWords(lang)
  if (options.help) {
    io.stdout.write(help(lang))
    return EXIT.OK
  }
  const [verb = '-', ...asked] = words
  if (verb !== 'who') return say(EXIT.USAGE, text('bad_verb', { verb }))
  const situation = asked.length === 0 ? null : situationNamed(asked.join(' '))
  if (situation === undefined) {
    return say(EXIT.USAGE, text('bad_situation', { situation: asked.join(' '), situations: SITUATIONS.join(', ') }))
  }
  const file = settings.CONTACTS_PATH
  try {
    const contacts = await readContacts(realSystem, file)
    const shown = (situation === null ? SITUATIONS : [situation]).map((one) => contactFor(contacts, one))
    const data = contactsData(file, situation, shown, contacts.withoutPhone)
    io.stdout.write(render(contactsReport(data), format, lang, screenOf(io)))
    if (!isWhole) say(EXIT.OK, text('config_broken'))
    const failure = contactsFailure(data, lang)
    return failure === undefined ? EXIT.OK : say(EXIT.WARNING, failure)
  } catch (error) {
    if (!(error instanceof BrokenFileError)) throw error
    for (const problem of error.problems) say(EXIT.BAD_CONFIG, problem)
    return say(EXIT.BAD_CONFIG, text('broken', { n: error.problems.length, file }))
  }
}

function contactsData(
  file: string,
  situation: Situation | null,
  contacts: readonly Contact[],
  withoutPhone: readonly string[],
): ContactsData {
  const roles = new Set(contacts.flatMap(({ call }) => call.map(({ role }) => role)))
  const without_phone = withoutPhone.filter((role) => roles.has(role))
  return { file, verdict: without_phone.length > 0 ? 'warning' : 'ok', situation, contacts, without_phone }
}

/** `service-down`, `service_down`, `Service down` and `서비스 다운` are the same. */
function situationNamed(asked: string): Situation | undefined {
  const plain = (text: string) =>
    text
      .normalize('NFC')
      .toLowerCase()
      .replace(/[-_\s]+/g, '_')
  return SITUATIONS.find((one) =>
    [one, ...LANGUAGES.map((lang) => contactWords(lang)(one))].some((name) => plain(name) === plain(asked)),
  )
}

function help(lang: Lang): string {
  const text = contactWords(lang)
  const situations = SITUATIONS.map((one) => `${one} (${text(one)})`).join(', ')
  const lines = [text('summary'), '', text('usage'), text('situations', { situations }), ...VERB_HELP]
  return helpPage([...lines, '', text('exit_codes')])
}
