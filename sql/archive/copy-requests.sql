-- The requests of a stretch: those that were asked in it, and those of the old system that were answered in it.
INSERT INTO main.approval_requests SELECT r.*
FROM live.approval_events e CROSS JOIN live.approval_requests r ON r.request_id = e.request_id
WHERE e.seq > :after AND e.seq <= :until
  AND (e.type = 'created'
    OR (e.type IN ('approved', 'rejected', 'expired', 'cancelled') AND r.created_seq IS NULL AND r.closed_seq = e.seq))
ORDER BY e.seq
