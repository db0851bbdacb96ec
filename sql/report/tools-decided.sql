-- Which tools were asked for in a period, and how many of the decisions were a no? `level` is what the last of the
-- requests was asked under; rows of the old system have none. Reads one range of the covering index; only the last
-- request of each tool is looked up in the table. Rows of an unknown status are in no total and not here either.
WITH tool AS (
  SELECT
    tool_name,
    count(*) AS requests,
    count(*) FILTER (WHERE status = 'approved') AS approved,
    count(*) FILTER (WHERE status = 'rejected') AS rejected,
    max(rowid) AS newest
  FROM approval_requests
  WHERE requested_at >= :from AND requested_at < :until AND server <> 'ops-canary'
    AND +status IN ('pending', 'approved', 'rejected', 'expired', 'timeout', 'cancelled')
  GROUP BY tool_name
)
SELECT tool.tool_name, requests, approved, rejected, r.level
FROM tool JOIN approval_requests r ON r.rowid = tool.newest
