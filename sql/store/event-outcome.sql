-- Does the record say how this request ended, in the words of its row?
SELECT 1 AS found
FROM approval_requests r JOIN approval_events e ON e.seq = r.closed_seq
WHERE r.request_id = :request_id AND e.request_id = r.request_id AND e.type = r.status
