-- When must the sweeper wake next?
SELECT min(expires_at) AS expires_at FROM approval_requests WHERE status = 'pending'
