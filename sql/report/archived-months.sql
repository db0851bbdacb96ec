-- Which months were moved out into files of their own? Everything asked before the last `until` is not here.
SELECT month, file, until FROM approval_archives ORDER BY month
