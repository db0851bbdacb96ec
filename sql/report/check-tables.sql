-- Is this the desk's database? An empty or foreign file opens without an error.
SELECT name FROM sqlite_master
WHERE type = 'table' AND name IN ('approval_requests', 'approval_events', 'security_users')
