-- The requester takes the request back. responded_at stays empty: nobody answered.
UPDATE approval_requests SET status = 'cancelled', closed_seq = :seq
WHERE request_id = :request_id AND status = 'pending' AND expires_at > :at
RETURNING *
