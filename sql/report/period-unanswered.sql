-- For which tools did nobody answer, and how often? `tools` and `total` say how much a limit leaves out.
SELECT tool_name, count(*) AS unanswered, count(*) OVER () AS tools, sum(count(*)) OVER () AS total
FROM approval_requests
WHERE requested_at >= :from AND requested_at < :until AND server <> 'ops-canary'
  AND (+status IN ('expired', 'timeout') OR (+status = 'pending' AND expires_at <= :now))
GROUP BY tool_name
ORDER BY unanswered DESC, tool_name
LIMIT :limit
