import type Database from 'better-sqlite3'
import type { Query } from '../sql.ts'

/** A prepared statement with the types of its declaration. */
export interface Statement<Params, Row> {
  get(params: Params): Row | undefined
  all(params: Params): Row[]
  iterate(params: Params): IterableIterator<Row>
  /** @returns the number of rows changed */
  run(params: Params): number
}

export type Statements<Queries> = {
  readonly [Name in keyof Queries]: Queries[Name] extends Query<infer Params, infer Row>
    ? Statement<Params, Row>
    : never
}

/** Prepares every statement now, so that a broken one stops the start and not the first caller. */
export function prepareAll<Queries extends Record<string, Query<never, unknown>>>(
  db: Database.Database,
  queries: Queries,
): Statements<Queries> {
  const prepare = ({ file, sql }: Query<never, unknown>): Statement<unknown, unknown> => {
    try {
      const statement = db.prepare(sql)
      return {
        get: (params) => statement.get(params),
        all: (params) => statement.all(params),
        iterate: (params) => statement.iterate(params),
        run: (params) => statement.run(params).changes,
      }
    } catch (error) {
      throw new Error(`sql/${file}.sql: ${(error as Error).message}`, { cause: error })
    }
  }
  return Object.fromEntries(Object.entries(queries).map(([name, q]) => [name, prepare(q)])) as Statements<Queries>
}
