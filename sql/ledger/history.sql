-- The newest rows, of one job or of all: in the order in which things happened.
SELECT * FROM job_runs
WHERE :job IS NULL OR job = :job
ORDER BY claimed_at DESC, run_id DESC
LIMIT :limit
