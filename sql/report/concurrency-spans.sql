-- From when until when was each request open that may have been open after :since? Those that end with it at the
-- latest are left out by their deadline, on the covering index; only a cancelled one is looked up, for its instant.
SELECT r.status, r.requested_at, r.responded_at, r.expires_at,
  CASE r.status WHEN 'cancelled' THEN (SELECT e.at FROM approval_events e WHERE e.seq = r.closed_seq) END AS cancelled_at
FROM approval_requests r
WHERE r.requested_at >= :from AND r.requested_at < :until AND r.server <> 'ops-canary' AND r.expires_at > :since
