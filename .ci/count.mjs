// What vitest's JSON says: count.mjs RESULTS [AGAIN]. AGAIN replaces what RESULTS says of the same files.
// Prints: passed failed skipped, then the files in which something failed.
import { readFileSync } from 'node:fs'

const read = (path) => JSON.parse(readFileSync(path, 'utf8')).testResults
const [first, again] = process.argv.slice(2)
const files = new Map(read(first).map((file) => [file.name, file]))
for (const file of again ? read(again) : []) {
  for (const { fullName, status } of files.get(file.name).assertionResults) {
    if (status === 'failed') console.error(`FAILED AT FIRST: ${fullName}`)
  }
  files.set(file.name, file)
}

const count = { passed: 0, failed: 0, skipped: 0 }
const failing = []
for (const { name, status, assertionResults } of files.values()) {
  const failed = assertionResults.filter((test) => test.status === 'failed').length
  const passed = assertionResults.filter((test) => test.status === 'passed').length
  count.passed += passed
  count.skipped += assertionResults.length - passed - failed
  // A file can fail without a test of it: when it cannot be loaded, or cannot clean up after itself.
  const broken = status === 'passed' || failed > 0 ? 0 : 1
  count.failed += failed + broken
  if (failed + broken > 0) failing.push(name)
}
console.log(count.passed, count.failed, count.skipped, ...failing)
