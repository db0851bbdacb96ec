-- Which requests does the archive hold? In the order in which they were copied.
SELECT rowid AS place, request_id, created_seq, closed_seq, consumed_seq
FROM approval_requests WHERE rowid > :after ORDER BY rowid LIMIT :limit
