-- How many requests were moved out into archive files? They are not among the rows, and were not lost. `requests` has those
-- of this desk, `adopted` those of the old system.
SELECT coalesce(sum(requests + adopted), 0) AS moved FROM approval_archives
