-- Nobody answered in time. responded_at stays empty, so that averages over answers hold no timeouts.
UPDATE approval_requests SET status = 'expired', closed_seq = :seq
WHERE request_id = :request_id AND status = 'pending' AND expires_at <= :at
RETURNING *
