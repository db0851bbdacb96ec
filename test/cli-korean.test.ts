import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { consume, decide } from '../src/approval/decide.ts'
import { ApprovalError } from '../src/approval/errors.ts'
import { assertStill } from '../src/approval/identity.ts'
import type { Request } from '../src/approval/request.ts'
import { sentenceOf } from '../src/cli/explain.ts'
import { ServerError } from '../src/cli/failure.ts'
import { LANGUAGES } from '../src/cli/messages.ts'
import { ROOT } from '../src/config.ts'
import { spent } from '../src/gateway/gate.ts'
import { STATUS_OF } from '../src/http/problems.ts'
import { cliHere } from './support/cli.ts'
import { NO_LIMIT, type RunningServer, startServer, temporaryFolder } from './support/server.ts'

/** Names, commands and paths may be Latin; three words in a row are a sentence. */
const ENGLISH = /[A-Za-z]{2,},? [A-Za-z]{2,},? [A-Za-z]{2,}/
const withoutCommand = (line: string) => line.replace(/(\S*approval\.js|npm run|npx|--as) .*$/, '')

describe('what the desk says is said in Korean to whoever reads Korean:', () => {
  const dir = temporaryFolder()
  let server: RunningServer
  let env: NodeJS.ProcessEnv
  beforeAll(async () => {
    server = await startServer(dir.path, { ...NO_LIMIT, MCP_CONFIG_PATH: join(ROOT, 'mcp.json') })
    env = { ...server.env, APPROVAL_URL: server.url, OPS_LANG: 'ko' }
    await server.call('POST', '/api/users', { user_id: 'kim', role: 'admin' })
  })
  afterAll(async () => {
    await server.kill('SIGKILL')
    dir.remove()
  })

  test.each<[string, string[], RegExp]>([
    ['a request that is not there', ['show', 'deadbeef'], /^그런 요청이 없습니다: "deadbeef"/],
    ['a user who is not there', ['users', 'disable', 'nobody'], /^그런 사용자가 없습니다: "nobody"\./],
    [
      'a tool that is not there',
      ['call', 'no_tool'],
      /^실행되지 않았습니다: 그런 도구가 없습니다: "no_tool"\. \S+ tools$/,
    ],
    ['a user who is there', ['users', 'add', 'kim', '--role', 'admin'], /^이미 있는 사용자입니다\. /],
    [
      'a role that is too low',
      ['users', 'list', '--as', 'dev_user'],
      /^권한이 없습니다\. 필요한 역할: admin\. \S+ users list --as admin_user$/,
    ],
  ])('%s', async (_what, words, said) => {
    const { last } = await cliHere(env, ...words)
    expect(last).toMatch(said)
    expect(withoutCommand(last)).not.toMatch(ENGLISH)
  })

  test('a token that nobody has', async () => {
    const { last } = await cliHere({ ...env, APPROVAL_TOKEN: 'apv_wrong_wrong_wrong' }, 'list')
    expect(last).toMatch(/^알 수 없는 사용자이거나 틀린 토큰입니다\. \S+ users list --as admin_user$/)
  })
})

describe('so is what the rules say', () => {
  const NOW = Date.parse('2026-11-22T09:00:00Z')
  const asked = {
    ...{ request_id: '3f2a91c0-0000-4000-8000-000000000000', user_id: 'dev_user', digest: 'd', status: 'approved' },
    ...{ expires_at: NOW + 1000, responded_at: NOW, responder_id: 'kim', response_reason: '확인', consumed_at: null },
  } as unknown as Request
  const dev = { user_id: 'dev_user', role: 'developer' } as const
  const kim = { user_id: 'kim', role: 'admin' } as const
  const use = (more: Partial<Request>, actor = dev as { user_id: string; role: 'developer' | 'admin' }, digest = 'd') =>
    consume({ ...asked, ...more }, digest, actor, NOW, 300)

  test.each<[string, () => unknown]>([
    ['already decided', () => decide(asked, 'approved', 'x', kim, NOW)],
    ['cancelled', () => decide({ ...asked, status: 'cancelled' }, 'approved', 'x', kim, NOW)],
    ['expired', () => decide({ ...asked, status: 'expired' }, 'approved', 'x', kim, NOW)],
    ['one’s own', () => decide({ ...asked, status: 'pending' }, 'approved', 'x', dev, NOW)],
    ['used', () => use({ consumed_at: NOW })],
    ['approved too long ago', () => use({ responded_at: NOW - 301_000 })],
    ['not approved', () => use({ status: 'rejected' })],
    ['for another call', () => use({}, dev, 'other')],
    ['another’s approval', () => use({}, kim)],
    ['disabled meanwhile', () => assertStill(dev, undefined)],
    [
      'a tool server that is down',
      () => {
        throw spent(new ApprovalError('upstream_unavailable', 'x', { server: 'files' }), asked)
      },
    ],
  ])('of what is %s', (_what, rule) => {
    let error: unknown
    try {
      rule()
    } catch (thrown) {
      error = thrown
    }
    const { code, message, facts } = error as ApprovalError
    const told = new ServerError(STATUS_OF[code], code, message, { ...facts })
    const said = sentenceOf(told, LANGUAGES.ko, { OPS_TIMEZONE: 'Asia/Seoul' })
    expect(said).toMatch(/[가-힣].*\.$/)
    expect(said).not.toMatch(ENGLISH)
  })
})
