-- Up to when did the newest finished run of a job look back, of those that began from :from on and not after :before?
-- A run that failed gave no verdict: what it saw has to be seen again.
SELECT MAX(started_at) AS started_at
FROM job_runs
WHERE job = :job AND state = 'DONE' AND started_at >= :from AND started_at <= :before
