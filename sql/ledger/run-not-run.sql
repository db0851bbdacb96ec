-- Files a date for which nothing ran: MISSED (possibly for a row of dates that ends here) or OVERLAP.
INSERT INTO job_runs (job, nominal_date, nominal, state, started_by, claimed_at,
                      holder_host, holder_pid, holder_start, holder_boot, missed_from, missed_count, note)
VALUES (:job, :date, :nominal, :state, :started_by, :now,
        :holder_host, :holder_pid, :holder_start, :holder_boot, :missed_from, :missed_count, :note)
ON CONFLICT (job, nominal_date) DO NOTHING
