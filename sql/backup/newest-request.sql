-- How far does a database reach? An index alone answers, also in one of the old system.
SELECT max(requested_at) AS newest FROM approval_requests
