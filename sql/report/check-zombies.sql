-- Which requests are still marked pending although their deadline has passed, however long ago? The sweeper should
-- have expired them. Walks the partial index of pending rows from the oldest deadline. They are counted apart: a count
-- over a window would read every one of them whole, and a desk that was down for months has left many.
SELECT request_id, tool_name, expires_at,
  (SELECT count(*) FROM approval_requests WHERE status = 'pending' AND expires_at <= :before) AS zombies
FROM approval_requests
WHERE status = 'pending' AND expires_at <= :before
ORDER BY expires_at LIMIT :limit
