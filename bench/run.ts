/**
 * `npm run bench`: every figure beside its limit or the old way, measured in the same run. Compare ratios, not runs.
 * `npm run bench -- reports --rows 10000000 [--folder DIR]`: the reports alone, on a database of that size, which is kept
 * in DIR for the next time.
 */
import { parseArgs } from 'node:util'
import Table from 'cli-table3'
import { type Row, release, throughput, waiting } from './desk.ts'
import { gateway } from './gateway.ts'
import { reports } from './reports.ts'
import { rollbacks } from './rollbacks.ts'

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { rows: { type: 'string' }, folder: { type: 'string' } },
})
const sections: Readonly<Record<string, () => Row[] | Promise<Row[]>>> = {
  ...{ throughput, release, waiting },
  reports: () => reports({ ...(values.rows && { rows: Number(values.rows) }), folder: values.folder }),
  rollbacks,
  gateway,
}
const chosen = positionals.length > 0 ? positionals : Object.keys(sections)
const unknown = chosen.find((name) => !(name in sections))
const isSize = values.rows === undefined || /^[1-9]\d{2,8}$/.test(values.rows)
if (unknown !== undefined || !isSize) {
  process.stderr.write(`[${Object.keys(sections).join('] [')}] [--rows 100-999999999] [--folder DIR]. npm run bench\n`)
  process.exit(64)
}
const table = new Table({ head: ['what', 'ours', 'beside it', 'ratio'], style: { head: [], border: [] } })
for (const name of chosen) {
  process.stderr.write(`measuring ${name} ...\n`)
  for (const { what, ours, limit, ratio } of await sections[name]!()) table.push([what, ours, limit, ratio])
}
process.stdout.write(`Node ${process.version}\n${table.toString()}\n`)
