-- How this attempt ended. No change: it is over already, or somebody else's attempt by now.
UPDATE job_runs
SET state = :state, finished_at = :now, exit_code = :exit_code, output_tail = coalesce(:output_tail, output_tail),
    note = coalesce(:note, note)
WHERE job = :job AND nominal_date = :date AND state IN ('CLAIMED', 'RUNNING') AND attempt = :attempt
  AND holder_pid = :holder_pid AND holder_start = :holder_start AND holder_boot = :holder_boot
