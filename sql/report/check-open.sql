-- How many requests wait for a decision, since when, and how long has the first of them left? Reads the partial index
-- of pending rows alone, at most APPROVAL_MAX_PENDING of them. Drills do not count.
SELECT count(*) AS open, min(requested_at) AS oldest, min(expires_at) AS soonest
FROM approval_requests
WHERE status = 'pending' AND expires_at > :now AND server <> 'ops-canary'
