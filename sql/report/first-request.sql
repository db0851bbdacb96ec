-- When does the record of requests begin? A day before that has no figures, which is not the same as zero.
SELECT min(requested_at) AS first FROM approval_requests WHERE requested_at >= '1970'
