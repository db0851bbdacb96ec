-- Which calls ran unasked since an instant because the gate was off, in order, behind a place: for the forecast of
-- another policy, a bounded number at a time. Drills do not count.
SELECT at, seq, json_extract(data, '$.server') AS server, json_extract(data, '$.tool') AS tool_name
FROM approval_events
WHERE type = 'bypassed' AND (at, seq) > (:at, :seq) AND json_extract(data, '$.server') IS NOT 'ops-canary'
ORDER BY at, seq LIMIT :limit
