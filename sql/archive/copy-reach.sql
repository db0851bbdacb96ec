-- The events that could be moved, and for each asking the last event of its request: no cut may come in between.
SELECT e.seq, e.type, r.status = 'pending' AS waits, max(coalesce(r.closed_seq, 0), coalesce(r.consumed_seq, 0)) AS last
FROM live.approval_events e
LEFT JOIN live.approval_requests r ON e.type = 'created' AND r.request_id = e.request_id
WHERE e.seq > :after AND e.seq < :before ORDER BY e.seq LIMIT :limit
