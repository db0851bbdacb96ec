-- Which tools were asked for most in a period, and how did it end? Ties are broken by name, so that the same data give
-- the same report. Rows of an unknown status are in no total and not here either.
SELECT
  tool_name,
  count(*) AS requests,
  count(*) FILTER (WHERE status = 'approved') AS approved,
  count(*) FILTER (WHERE status = 'rejected') AS rejected,
  count(*) FILTER (WHERE status IN ('expired', 'timeout') OR (status = 'pending' AND expires_at <= :now)) AS unanswered
FROM approval_requests
WHERE requested_at >= :from AND requested_at < :until AND server <> 'ops-canary'
  AND +status IN ('pending', 'approved', 'rejected', 'expired', 'timeout', 'cancelled')
GROUP BY tool_name
ORDER BY requests DESC, tool_name
LIMIT :limit
