-- What was moved out, oldest first.
SELECT month, file, sha256, until, first_seq, last_seq, last_hash, requests, adopted
FROM approval_archives ORDER BY month
