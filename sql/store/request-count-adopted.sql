-- How many requests did the old system leave? Those have no digest.
SELECT count(*) AS n FROM approval_requests WHERE digest IS NULL
