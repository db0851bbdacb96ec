import { tokenMark } from '../approval/chain.ts'
import { ApprovalError } from '../approval/errors.ts'
import type { UserStore } from '../approval/store.ts'
import { sqlTime } from '../sql.ts'
import { toUser } from './rows.ts'
import type { StorePart } from './sqlite-part.ts'

/** The users' part of the Store: each change and its event in one transaction. */
export function sqliteUsers({ sql, submit, read, record }: StorePart): UserStore {
  const user = (user_id: string) => {
    const row = sql.userGet.get({ user_id })
    return row && toUser(row)
  }

  return {
    user: (user_id) => read(() => user(user_id)),
    userByToken: (token_sha256) =>
      read(() => {
        const row = sql.userByToken.get({ token_sha256 })
        return row && toUser(row)
      }),
    users: () => read(() => sql.userList.all({}).map(toUser)),
    seedRoles: async (at) => {
      await submit(() => sql.roleSeed.run({ at: sqlTime(at) }))
    },

    addUser: (added, by, at, also) =>
      submit(() => {
        const { user_id, role, token_sha256 } = added
        if (sql.userInsert.run({ ...added, at: sqlTime(at) }) === 0) {
          throw new ApprovalError('user_exists', `user ${user_id} exists already. Give it a new token instead`)
        }
        also?.()
        const data = { user_id, role, token: tokenMark(token_sha256) }
        record({ type: 'user_added', request_id: null, actor: by, at, data })
        return user(user_id)!
      }),

    setActive: (user_id, active, by, at) =>
      submit(() => {
        const before = user(user_id)
        if (!before || before.is_active === active) return before
        const admins = sql.userList
          .all({})
          .map(toUser)
          .filter((u) => u.role === 'admin' && u.is_active && u.token_sha256)
        if (!active && admins.length === 1 && admins[0]?.user_id === user_id) {
          throw new ApprovalError(
            'last_admin',
            `${user_id} is the last administrator who can sign in. Add another first`,
          )
        }
        sql.userSetActive.run({ user_id, is_active: active ? 1 : 0, at: sqlTime(at) })
        const type = active ? 'user_enabled' : 'user_disabled'
        record({ type, request_id: null, actor: by, at, data: { user_id } })
        return user(user_id)
      }),

    setToken: (user_id, token_sha256, by, at, also) =>
      submit(() => {
        if (sql.userSetToken.run({ user_id, token_sha256, at: sqlTime(at) }) === 0) return undefined
        also?.()
        const data = { user_id, token: tokenMark(token_sha256) }
        record({ type: 'token_issued', request_id: null, actor: by, at, data })
        return user(user_id)
      }),
  }
}
