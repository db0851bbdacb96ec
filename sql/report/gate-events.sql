-- When was the gate opened or closed from :from until :until? In the order of the record: the end of a lease is
-- recorded with its own instant, which may lie before that of the event in front of it.
SELECT seq, at, type, actor, data FROM approval_events
WHERE type IN ('gate_off', 'gate_on') AND at >= :from AND at < :until
ORDER BY seq
