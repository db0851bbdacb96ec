import { tokenMark } from './chain.ts'
import type { User } from './identity.ts'
import type { ApprovalEvent } from './store.ts'

/** A user as the recorded acts made it. */
export interface AuditedUser {
  role: string
  is_active: boolean
  /** Mark of the token; null for none. */
  token: string | null
}

/** Applies one act to the users known so far. */
export function foldUser(users: Map<string, AuditedUser>, { type, data }: ApprovalEvent): void {
  const id = String(data.user_id)
  const user = users.get(id)
  if (type === 'adopted') {
    for (const adopted of (data.users ?? []) as (AuditedUser & { user_id: string })[]) {
      const { user_id, ...user } = adopted
      users.set(user_id, user)
    }
  } else if (type === 'user_added') {
    users.set(id, { role: String(data.role), is_active: true, token: String(data.token) })
  } else if (!user) return
  else if (type === 'user_disabled') user.is_active = false
  else if (type === 'user_enabled') user.is_active = true
  else if (type === 'token_issued') user.token = String(data.token)
}

/** Users whose role, state or token is not what the recorded acts made it. */
export function userDisagreements(recorded: ReadonlyMap<string, AuditedUser>, users: readonly User[]): string[] {
  const wrong: string[] = []
  for (const { user_id, role, is_active, token_sha256 } of users) {
    const user = recorded.get(user_id)
    if (!user) wrong.push(`the user ${user_id} was put in without an act of an administrator`)
    else if (user.role !== role || user.is_active !== is_active) {
      wrong.push(`the role or the state of the user ${user_id} is not the recorded one`)
    } else if (user.token !== (token_sha256 === null ? null : tokenMark(token_sha256))) {
      wrong.push(`the token of the user ${user_id} is not the issued one`)
    }
  }
  const present = new Set(users.map(({ user_id }) => user_id))
  for (const user_id of recorded.keys()) {
    if (!present.has(user_id)) wrong.push(`the user ${user_id} was taken away`)
  }
  return wrong
}
