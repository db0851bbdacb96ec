import { isCancel, text } from '@clack/prompts'
import type { Lang } from './report/document.ts'
import { rollbackWords } from './rollback/words.ts'

/** Asks for the word on a terminal; true when it was typed. Never called where there is no terminal. */
export async function typedWord(
  word: string,
  lang: Lang,
  { stdin, stderr }: Pick<NodeJS.Process, 'stdin' | 'stderr'>,
  signal: AbortSignal,
): Promise<boolean> {
  const say = rollbackWords(lang)
  // clack waits for ever on a terminal that has gone away.
  const gone = new AbortController()
  const leave = () => gone.abort()
  // Ctrl-D is the end of input for people; clack takes it for a key like any other.
  const key = (_: string, { ctrl, name }: { ctrl?: boolean; name?: string }) => ctrl && name === 'd' && leave()
  stdin.once('end', leave).once('close', leave).on('keypress', key)
  try {
    const answer = await text({
      message: say('confirm', { word }),
      validate: (typed) => (typed?.trim() === word ? undefined : say('confirm_wrong', { word })),
      input: stdin,
      output: stderr,
      signal: AbortSignal.any([signal, gone.signal]),
    })
    return !isCancel(answer) && answer.trim() === word
  } finally {
    stdin.off('end', leave).off('close', leave).off('keypress', key)
  }
}
