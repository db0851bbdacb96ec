-- Every request beside the events that it points at, for the audit to compare column by column.
SELECT r.request_id, r.server, r.tool_name, r.user_id, r.role, r.level, r.digest, r.reason, r.request_data, r.status,
  r.requested_at, r.expires_at, r.responded_at, r.responder_id, r.response_reason, r.consumed_at,
  r.created_seq, r.closed_seq, r.consumed_seq,
  c.type AS created_type, c.at AS created_at, c.actor AS created_actor, c.data AS created_data,
  f.type AS closed_type, f.at AS closed_at, f.actor AS closed_actor, f.data AS closed_data,
  u.type AS consumed_type, u.at AS used_at, u.actor AS consumed_actor
FROM approval_requests r
LEFT JOIN approval_events c ON c.seq = r.created_seq AND c.request_id = r.request_id
LEFT JOIN approval_events f ON f.seq = r.closed_seq AND f.request_id = r.request_id
LEFT JOIN approval_events u ON u.seq = r.consumed_seq AND u.request_id = r.request_id
WHERE r.request_id > :after
ORDER BY r.request_id LIMIT :limit
