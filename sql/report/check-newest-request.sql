-- The newest request, and whether the record tells of its asking. Adopted rows have no digest and no record.
SELECT r.request_id, r.requested_at, r.digest IS NULL AS adopted,
  e.request_id IS r.request_id AND e.type = 'created' AS recorded
FROM approval_requests r LEFT JOIN approval_events e ON e.seq = r.created_seq
ORDER BY r.requested_at DESC LIMIT 1
