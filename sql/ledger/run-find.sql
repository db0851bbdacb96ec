-- The row of one job and date.
SELECT * FROM job_runs WHERE job = :job AND nominal_date = :date
