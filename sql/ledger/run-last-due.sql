-- Up to where is this job accounted for? Rows of the future, left by a clock that was ahead, do not count.
SELECT max(nominal) AS nominal FROM job_runs WHERE job = :job AND nominal < :before
