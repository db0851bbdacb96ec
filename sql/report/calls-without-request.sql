-- When did which tool run without anybody having been asked? In the order of the record. The record has a call only
-- when it came to the desk; drills do not count.
SELECT at, json_extract(data, '$.tool') AS tool, json_extract(data, '$.level') AS level
FROM approval_events
WHERE type = 'bypassed' AND at >= :from AND at < :until AND json_extract(data, '$.server') IS NOT 'ops-canary'
ORDER BY seq
