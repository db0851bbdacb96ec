-- Did the record last say that the gate opened, or that it closed?
SELECT * FROM approval_events WHERE seq = (
  SELECT max(seq) FROM approval_events WHERE type IN ('gate_off', 'gate_on'))
