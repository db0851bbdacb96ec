-- Somebody was seen with a request: the first time and the last. Requests whose life is not recorded get no half of one.
INSERT INTO request_life (created_seq, what, who, first_at, last_at)
SELECT created_seq, :what, :who, :first_at, :last_at FROM approval_requests WHERE request_id = :request_id AND life = 1
ON CONFLICT DO UPDATE SET first_at = min(first_at, excluded.first_at), last_at = max(last_at, excluded.last_at)
