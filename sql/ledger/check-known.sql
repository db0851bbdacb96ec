-- Since when is the ledger kept for this job? What was due before is nobody's debt.
SELECT known_since FROM scheduled_jobs WHERE job = :job
