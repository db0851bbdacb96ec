-- Was the gate open or closed when the period began? The last that the record said of it before :from.
SELECT seq, at, type, actor, data FROM approval_events
WHERE seq = (SELECT max(seq) FROM approval_events WHERE type IN ('gate_off', 'gate_on') AND at < :from)
