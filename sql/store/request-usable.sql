-- The approval of exactly this call that this requester may still use; of several the one that lapses first. Served by
-- the partial index approval_requests_usable. It only finds: request-consume.sql decides.
SELECT * FROM approval_requests
WHERE user_id = :user_id AND digest = :digest AND status = 'approved' AND consumed_at IS NULL
  AND responded_at > :decided_after
ORDER BY responded_at LIMIT 1
