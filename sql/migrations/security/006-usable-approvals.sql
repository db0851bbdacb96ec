-- Approvals that wait to be used: the gateway looks for one with every call of a dangerous tool. Few rows at any time,
-- since each use takes its row out.
CREATE INDEX approval_requests_usable ON approval_requests (user_id, digest, responded_at)
  WHERE status = 'approved' AND consumed_at IS NULL;
