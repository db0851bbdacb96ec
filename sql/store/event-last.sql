-- The newest event, whole.
SELECT * FROM approval_events ORDER BY seq DESC LIMIT 1
