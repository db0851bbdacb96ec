-- The old system's requests from before the end of the month, which it closed itself. One whose time or whose id
-- cannot be read stays where it is: nobody can say that it is old. The same conditions as in store/archive-oldest.
-- A bounded number at a time, so that no read lasts long.
INSERT INTO main.approval_requests SELECT r.*
FROM live.approval_requests r
WHERE r.requested_at < :until
  AND r.requested_at GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9] [0-9][0-9]:[0-9][0-9]:[0-9][0-9]*'
  AND r.created_seq IS NULL AND r.closed_seq IS NULL AND r.digest IS NULL AND r.status IS NOT 'pending'
  AND typeof(r.request_id) = 'text' AND r.request_id NOT GLOB '*[^ -~]*'
  AND r.request_id NOT IN (SELECT request_id FROM main.approval_requests)
ORDER BY r.requested_at LIMIT :limit
