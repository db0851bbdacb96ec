-- One more attempt at a run whose holder died. The attempt number decides between those who try.
UPDATE job_runs
SET state = 'CLAIMED', attempt = attempt + 1, started_by = :started_by, claimed_at = :now,
    holder_host = :holder_host, holder_pid = :holder_pid, holder_start = :holder_start, holder_boot = :holder_boot,
    child_pid = NULL, child_start = NULL, started_at = NULL, finished_at = NULL, exit_code = NULL,
    output_tail = NULL, output_file = NULL
WHERE job = :job AND nominal_date = :date AND state = 'ABANDONED' AND attempt = :attempt
  AND NOT EXISTS (SELECT 1 FROM job_runs WHERE job = :job AND state IN ('CLAIMED', 'RUNNING'))
