-- A human's answer, if the request is still open: the first decision wins, and the deadline itself is too late.
-- No row back = somebody or the clock was first.
UPDATE approval_requests
SET status = :status, responded_at = :at, responder_id = :responder_id, response_reason = :reason,
  closed_seq = :seq
WHERE request_id = :request_id AND status = 'pending' AND expires_at > :at
RETURNING *
