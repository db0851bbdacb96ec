-- Whose deadline has passed? Walks the partial index of pending rows from the oldest deadline.
SELECT request_id FROM approval_requests
WHERE status = 'pending' AND expires_at <= :now
ORDER BY expires_at LIMIT :limit
