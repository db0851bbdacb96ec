-- How many requests wait for a decision? Reads the partial index of pending rows alone.
SELECT count(*) AS n FROM approval_requests WHERE status = 'pending' AND expires_at > :now
