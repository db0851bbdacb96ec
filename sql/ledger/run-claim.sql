-- Claims a date. No row is made when the date has one, or while another run of the job is active: one statement, so
-- that of any number of processes exactly one sees a change.
INSERT INTO job_runs (job, nominal_date, nominal, state, started_by, claimed_at,
                      holder_host, holder_pid, holder_start, holder_boot)
SELECT :job, :date, :nominal, 'CLAIMED', :started_by, :now, :holder_host, :holder_pid, :holder_start, :holder_boot
WHERE NOT EXISTS (SELECT 1 FROM job_runs WHERE job = :job AND state IN ('CLAIMED', 'RUNNING'))
ON CONFLICT (job, nominal_date) DO NOTHING
