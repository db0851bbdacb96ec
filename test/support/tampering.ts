import { uuid } from '../store-contract.ts'

const rows = (n: number) => `WHERE request_id = '${uuid(n)}'`

/**
 * Ways of changing a record by one statement on the file, for a database in which request 1 is pending, 2 approved and
 * used, 3 rejected, and 4 was left by the old system.
 * @param middle an event that is neither the first nor the last
 * @param cut the event behind which the newest ones are cut off
 */
export const tampering = (middle: number, cut: number): [what: string, sql: string][] => [
  ['an event was changed', `UPDATE approval_events SET actor = 'mallory' WHERE seq = ${middle}`],
  ['an event is missing', `DELETE FROM approval_events WHERE seq = ${middle}`],
  [
    'an event was replaced',
    `INSERT OR REPLACE INTO approval_events VALUES (${middle}, '', '', NULL, '', '{}', '', '')`,
  ],
  ['the newest events were cut off', `DELETE FROM approval_events WHERE seq > ${cut}`],
  ['a trigger is gone', 'SELECT 1'],
  ['arguments were changed', `UPDATE approval_requests SET request_data = '{"code":"rm"}' ${rows(1)}`],
  ['a digest was changed', `UPDATE approval_requests SET digest = 'f' ${rows(1)}`],
  ['a request changed hands', `UPDATE approval_requests SET user_id = 'admin_user' ${rows(1)}`],
  ['a deadline was moved', `UPDATE approval_requests SET expires_at = '2099-01-01 00:00:00.000' ${rows(1)}`],
  ['a level was lowered', `UPDATE approval_requests SET level = 'HIGH' ${rows(1)}`],
  ['a decision was written in', `UPDATE approval_requests SET status = 'approved' ${rows(1)}`],
  ['an approver was exchanged', `UPDATE approval_requests SET responder_id = 'amy' ${rows(2)}`],
  ['a reason was rewritten', `UPDATE approval_requests SET response_reason = 'x' ${rows(3)}`],
  ['a use was taken back', `UPDATE approval_requests SET consumed_at = NULL ${rows(2)}`],
  ['a use was taken back whole', `UPDATE approval_requests SET consumed_at = NULL, consumed_seq = NULL ${rows(2)}`],
  ['a rejection was reset', `UPDATE approval_requests SET status = 'pending' ${rows(3)}`],
  [
    'a rejection was reset whole',
    `UPDATE approval_requests SET status = 'pending', closed_seq = NULL, responded_at = NULL, responder_id = NULL ${rows(3)}`,
  ],
  ['a row poses as an old one', `UPDATE approval_requests SET digest = NULL, created_seq = NULL ${rows(1)}`],
  ['a request was deleted', `DELETE FROM approval_requests ${rows(3)}`],
  ['an old request was deleted', `DELETE FROM approval_requests ${rows(4)}`],
  [
    'a request was put in',
    "INSERT INTO approval_requests (request_id, tool_name, user_id, role, status, requested_at, expires_at) VALUES ('x', 't', 'u', 'r', 'approved', '', '')",
  ],
  ['everything was emptied', 'DELETE FROM approval_requests; DELETE FROM approval_events'],
  [
    'a user was put in',
    "INSERT INTO security_users (user_id, role_id, is_active, token_sha256) SELECT 'eve', role_id, 1, 'z' FROM security_roles WHERE role_name = 'admin'",
  ],
  [
    'a role was raised',
    "UPDATE security_users SET role_id = (SELECT role_id FROM security_roles WHERE role_name = 'admin') WHERE user_id = 'dev_user'",
  ],
  ['a token was exchanged', "UPDATE security_users SET token_sha256 = 'z' WHERE user_id = 'admin_user'"],
  ['a user was taken away', "DELETE FROM security_users WHERE user_id = 'admin_user'"],
]
