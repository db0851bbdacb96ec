-- What does the record say of each request of a period that nobody answered? The newest first. The range and the
-- status come from the covering index; only the unanswered ones are looked up. `expired_at` is when the server expired
-- it: what the deadline says, or later. `recorded` is 0 where what is missing from `seen` is unknown.
SELECT r.request_id, r.tool_name, r.user_id, r.status, r.requested_at, r.expires_at, r.life IS 1 AS recorded,
  e.at AS expired_at,
  (SELECT json_group_array(json_array(l.what, l.who, l.first_at, l.last_at))
    FROM request_life l WHERE l.created_seq = r.created_seq) AS seen
FROM approval_requests r LEFT JOIN approval_events e ON e.seq = r.closed_seq AND e.type = 'expired'
WHERE r.requested_at >= :from AND r.requested_at < :until AND r.server <> 'ops-canary'
  AND (+r.status IN ('expired', 'timeout') OR (+r.status = 'pending' AND r.expires_at <= :now))
ORDER BY r.requested_at DESC
