-- A new pending request. Its life is recorded from now on, unless it is a drill.
INSERT INTO approval_requests
  (request_id, tool_name, user_id, role, request_data, status, requested_at, expires_at, server, level, digest, reason,
   created_seq, life)
VALUES
  (:request_id, :tool_name, :user_id, :role, :request_data, 'pending', :requested_at, :expires_at, :server, :level,
   :digest, :reason, :seq, :server <> 'ops-canary')
RETURNING *
