-- What is known of a request's life, in its order. One row without a `what` when nothing happened yet; none when its
-- life is not recorded.
SELECT l.what, l.who, l.first_at, l.last_at
FROM approval_requests r LEFT JOIN request_life l ON l.created_seq = r.created_seq
WHERE r.request_id = :request_id AND r.life = 1
ORDER BY l.first_at, l.what, l.who
