-- What the record tells, worked out anew: when the gate was off, and what ran meanwhile. For the sqlite3 shell, after
-- requests.sql, whose clock it uses. The span is that of the evening report.
CREATE TEMP TABLE span AS SELECT evening - 86400000 AS since, now AS until FROM clock;

-- Each event in the order of the record; the next word on the gate, or the end of the lease, ends what it says.
CREATE TEMP TABLE said AS
SELECT type, CAST(strftime('%s', substr(at, 1, 19)) AS INTEGER) * 1000 + CAST(substr(at, 21) AS INTEGER) AS ms,
  CAST(strftime('%s', substr(data ->> '$.until', 1, 19)) AS INTEGER) * 1000
    + CAST(substr(data ->> '$.until', 21, 3) AS INTEGER) AS lease,
  lead(CAST(strftime('%s', substr(at, 1, 19)) AS INTEGER) * 1000 + CAST(substr(at, 21) AS INTEGER)) OVER (ORDER BY seq)
    AS next
FROM approval_events WHERE type IN ('gate_off', 'gate_on');

SELECT json_object('figure', 'gate_off_ms', 'period', name, 'value', coalesce(sum(max(0,
  min(until, coalesce(lease, until), coalesce(next, until)) - max(since, ms))), 0))
FROM (SELECT 'span' AS name, since, until FROM span UNION ALL SELECT name, since, until FROM period)
LEFT JOIN said ON type = 'gate_off'
GROUP BY name;

SELECT json_object('figure', 'gate_is_off', 'value', json(coalesce((
  SELECT iif(type = 'gate_off' AND coalesce(lease > now, TRUE), 'true', 'false') FROM said, clock
  WHERE ms <= now ORDER BY ms DESC LIMIT 1), 'false')));

CREATE TEMP TABLE happened AS
SELECT e.*, CAST(strftime('%s', substr(at, 1, 19)) AS INTEGER) * 1000 + CAST(substr(at, 21) AS INTEGER) AS ms
FROM approval_events e;

SELECT json_object('figure', 'calls', 'value', count(*)) FROM happened, span
WHERE type = 'bypassed' AND ms >= since AND ms < until AND coalesce(data ->> '$.server', '') <> 'ops-canary';

SELECT json_object('figure', 'acts', 'value', count(*)) FROM happened, span
WHERE type IN ('server_started', 'server_stopped', 'user_added', 'config_reloaded', 'changed_elsewhere')
  AND ms >= since AND ms < until;
