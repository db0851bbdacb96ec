-- The program is there and waits for this row to be on disk. No change: the claim is no longer ours.
UPDATE job_runs
SET state = 'RUNNING', started_at = :now, child_pid = :child_pid, child_start = :child_start, output_file = :output_file
WHERE job = :job AND nominal_date = :date AND state = 'CLAIMED' AND attempt = :attempt
  AND holder_pid = :holder_pid AND holder_start = :holder_start AND holder_boot = :holder_boot
