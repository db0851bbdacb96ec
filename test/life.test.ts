import { describe, expect, test } from 'vitest'
import { createLife, type Sight, type Sighting } from '../src/approval/life.ts'
import { createLifeWriter } from '../src/life-writer.ts'

const T0 = Date.parse('2026-11-22T00:00:00Z')
const request = { request_id: 'r1', server: '' }

function memory() {
  let news = 0
  const life = createLife(() => news++)
  return {
    ...life,
    news: () => news,
    saw: (what: Sight, at: number, who = 'amy', of = request) => life.see(what, of, who, T0 + at),
    taken: () => life.take(1000).map(({ what, who, first_at, last_at }) => [what, who, first_at - T0, last_at - T0]),
  }
}

describe('what is remembered of who saw a request', () => {
  test('a list that is shown every second is news once', () => {
    const { saw, taken, news } = memory()
    saw('listed', 0)
    expect(taken()).toEqual([['listed', 'amy', 0, 0]])
    for (let second = 1; second < 300; second++) saw('listed', second * 1000)
    expect([taken(), news()]).toEqual([[], 1])
  })

  test('each person and each kind is news of its own, and drills are none', () => {
    const { saw, taken } = memory()
    saw('listed', 0)
    saw('opened', 1)
    saw('opened', 2, 'bob')
    saw('opened', 3, 'bob', { request_id: 'r2', server: 'ops-canary' })
    expect(taken()).toEqual([
      ['listed', 'amy', 0, 0],
      ['opened', 'amy', 1, 1],
      ['opened', 'bob', 2, 2],
    ])
  })

  test('secrets are news each time they are shown', () => {
    const { saw, taken } = memory()
    saw('revealed', 0)
    taken()
    saw('revealed', 9000)
    expect(taken()).toEqual([['revealed', 'amy', 9000, 9000]])
  })

  test('a caller that goes on waiting is news every fifteen seconds', () => {
    const { saw, taken } = memory()
    const written: unknown[] = []
    for (let second = 0; second <= 60; second++) {
      saw('waiting', second * 1000, 'dev_user')
      written.push(...taken())
    }
    expect(written).toEqual([0, 15, 30, 45, 60].map((s) => ['waiting', 'dev_user', s * 1000, s * 1000]))
  })

  test('a caller that hung up and is back at once is news', () => {
    const { saw, taken } = memory()
    saw('waiting', 0, 'dev_user')
    taken()
    saw('left', 1000, 'dev_user')
    taken()
    saw('waiting', 1001, 'dev_user')
    expect(taken()).toEqual([['waiting', 'dev_user', 1001, 1001]])
  })

  test('what could not be written is taken again, with what came meanwhile', () => {
    const { saw, take, giveBack, taken, news } = memory()
    saw('waiting', 0, 'dev_user')
    const failed = take(1000)
    saw('waiting', 20_000, 'dev_user')
    giveBack(failed)
    expect(taken()).toEqual([['waiting', 'dev_user', 0, 20_000]])
    expect(news()).toBe(3)
  })

  test('what is forgotten is written again: memory is bounded, and nothing is lost', () => {
    const { saw, take, taken } = memory()
    for (let n = 0; n < 30_000; n++) saw('opened', n, 'amy', { request_id: `r${n}`, server: '' })
    expect(take(50_000)).toHaveLength(30_000)
    saw('opened', 0, 'amy', { request_id: 'r0', server: '' })
    saw('opened', 0, 'amy', { request_id: 'r29999', server: '' })
    expect(taken()).toEqual([['opened', 'amy', 0, 0]])
  })
})

describe('what writes it', () => {
  test('gives back what a failing store did not take, complains once, and a later flush writes all of it', async () => {
    const stored: Sighting[] = []
    const complaints: unknown[] = []
    let fails = true
    const recordLife = async (sightings: readonly Sighting[]) => {
      if (fails) throw new Error('disk full')
      stored.push(...sightings)
    }
    const writer = createLifeWriter({ recordLife }, (error) => complaints.push(error))
    for (let n = 0; n < 1000; n++) writer.see('listed', { request_id: `r${n}`, server: '' }, 'amy', T0 + n)
    await expect(writer.flush()).rejects.toThrow('disk full')
    fails = false
    await writer.flush()
    expect(stored).toHaveLength(1000)
    expect(new Set(stored.map(({ request_id }) => request_id)).size).toBe(1000)
    expect(complaints).toEqual([])
  })

  test('writes within about a second by itself, and never two of its transactions at once', async () => {
    const batches: number[] = []
    let atOnce = 0
    const recordLife = async (sightings: readonly Sighting[]) => {
      expect(++atOnce).toBe(1)
      await new Promise((resolve) => setImmediate(resolve))
      atOnce--
      batches.push(sightings.length)
    }
    const writer = createLifeWriter({ recordLife }, (error) => {
      throw error
    })
    for (let n = 0; n < 600; n++) writer.see('listed', { request_id: `r${n}`, server: '' }, 'amy', T0)
    await expect.poll(() => batches, { timeout: 30_000 }).toEqual([256, 256, 88])
    writer.see('opened', request, 'amy', T0)
    await Promise.all([writer.flush(), writer.flush()])
    expect(batches).toEqual([256, 256, 88, 1])
  })
})
