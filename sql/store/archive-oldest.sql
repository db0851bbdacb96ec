-- From when is the oldest that could be moved out? The first event, and the first request that the old system left
-- and closed; NULL for none before :until. Both are ends of an index. A desk that adopted nothing has no such request:
-- there nobody looks for one among all that waits to be moved.
SELECT (SELECT at FROM approval_events ORDER BY seq LIMIT 1) AS event_at,
  CASE WHEN EXISTS (SELECT 1 FROM approval_events WHERE type = 'adopted') OR EXISTS (SELECT 1 FROM approval_archives) THEN
  (SELECT requested_at FROM approval_requests
   WHERE requested_at >= '1970' AND requested_at < :until
     AND requested_at GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9] [0-9][0-9]:[0-9][0-9]:[0-9][0-9]*'
     AND created_seq IS NULL AND closed_seq IS NULL AND digest IS NULL AND status IS NOT 'pending'
     AND typeof(request_id) = 'text' AND request_id NOT GLOB '*[^ -~]*'
   ORDER BY requested_at LIMIT 1) END AS request_at
