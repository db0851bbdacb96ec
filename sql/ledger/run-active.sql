-- Which runs of this job are claimed or going, by what the ledger knows?
SELECT * FROM job_runs WHERE job = :job AND state IN ('CLAIMED', 'RUNNING') ORDER BY nominal
