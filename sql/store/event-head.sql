-- The newest event: what the next one continues.
SELECT seq, hash FROM approval_events ORDER BY seq DESC LIMIT 1
