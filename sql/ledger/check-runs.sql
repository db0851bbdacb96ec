-- What ran, or should have run and did not, since :from? The rows of one day.
SELECT job, nominal_date, nominal, state, attempt, started_at, finished_at, exit_code, missed_from, missed_count
FROM job_runs
WHERE nominal >= :from OR claimed_at >= :from
ORDER BY nominal, job
