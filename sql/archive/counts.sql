-- How many rows does the archive hold?
SELECT (SELECT count(*) FROM main.approval_events) AS events, (SELECT count(*) FROM main.approval_requests) AS requests
