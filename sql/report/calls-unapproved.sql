-- Which calls ran without anybody's approval because the gate was off? `calls` is their number, whatever :limit shows.
-- Arguments stay in the record: a report is passed on. Drills do not count.
SELECT seq, at, actor, count(*) OVER () AS calls,
  json_extract(data, '$.server') AS server, json_extract(data, '$.tool') AS tool,
  json_extract(data, '$.level') AS level, json_extract(data, '$.digest') AS digest
FROM approval_events
WHERE type = 'bypassed' AND at >= :from AND at < :until AND json_extract(data, '$.server') IS NOT 'ops-canary'
ORDER BY seq
LIMIT :limit
