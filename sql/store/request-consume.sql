-- Uses an approval: once, for the digest that was approved, within its time to live. No row back = not (any more).
-- The decision that counts is the recorded one: its event, its time, and no other use in the record.
UPDATE approval_requests SET consumed_at = :at, consumed_seq = :seq
WHERE request_id = :request_id AND status = 'approved' AND consumed_at IS NULL AND consumed_seq IS NULL
  AND digest = :digest AND user_id = :user_id AND responded_at > :decided_after
  AND EXISTS (SELECT 1 FROM approval_events e
              WHERE e.seq = closed_seq AND e.request_id = approval_requests.request_id AND e.type = 'approved'
                AND e.at = responded_at AND e.actor <> :user_id)
RETURNING *
