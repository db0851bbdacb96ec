-- How many requests were made in a period, and what had become of them at :now?
-- One range of the covering index approval_requests_report. 'timeout' is the old system's word for expired; a pending
-- request past its deadline is unanswered, swept or not. A status that nobody knows is counted apart, so that the parts
-- add up: row_count = open + unanswered + approved + rejected + cancelled + unknown_status. Drills do not count.
-- The statuses one by one, the most frequent first: a list of six would be looked up in a table of its own, and weeks
-- of ten million rows are read by this statement.
SELECT
  count(*) AS row_count,
  count(*) FILTER (WHERE status = 'pending' AND coalesce(expires_at > :now, TRUE)) AS open,
  count(*) FILTER (WHERE status IN ('expired', 'timeout') OR (status = 'pending' AND expires_at <= :now)) AS unanswered,
  count(*) FILTER (WHERE status = 'approved') AS approved,
  count(*) FILTER (WHERE status = 'rejected') AS rejected,
  count(*) FILTER (WHERE status = 'cancelled') AS cancelled,
  count(*) FILTER (WHERE (status = 'approved' OR status = 'rejected' OR status = 'expired' OR status = 'cancelled'
    OR status = 'pending' OR status = 'timeout') IS NOT TRUE) AS unknown_status
FROM approval_requests
WHERE requested_at >= :from AND requested_at < :until AND server <> 'ops-canary'
