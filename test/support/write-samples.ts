/** `npm run samples`: writes docs/samples anew. test/samples.test.ts holds them. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../../src/config.ts'
import { samples } from './samples.ts'
import { temporaryFolder } from './server.ts'

const folder = temporaryFolder()
try {
  for (const [name, text] of await samples(folder.path)) {
    writeFileSync(join(ROOT, 'docs/samples', name), text)
    process.stdout.write(`docs/samples/${name}\n`)
  }
} finally {
  folder.remove()
}
