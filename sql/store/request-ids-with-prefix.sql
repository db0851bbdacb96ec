-- Is a short id unique? Two rows are enough to know. A range on the primary key, so that no character is a wildcard;
-- 'g' sorts behind every hexadecimal digit and the dash.
SELECT request_id FROM approval_requests
WHERE request_id >= :prefix AND request_id < :prefix || 'g'
ORDER BY request_id LIMIT 2
