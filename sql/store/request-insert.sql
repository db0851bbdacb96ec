-- A new request. Its life is recorded from now on, unless it is a drill. What was stored is known: RETURNING would
-- double what this costs.
INSERT INTO approval_requests
  (request_id, tool_name, user_id, role, request_data, status, requested_at, expires_at, server, level, digest, reason,
   created_seq, life)
VALUES
  (:request_id, :tool_name, :user_id, :role, :request_data, :status, :requested_at, :expires_at, :server, :level,
   :digest, :reason, :seq, :server <> 'ops-canary')
