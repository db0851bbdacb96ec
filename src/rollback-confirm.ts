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
  stdin.once('end', leave).once('close', leave)
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
    stdin.off('end', leave).off('close', leave)
  }
}
