-- A request that an archive holds goes, unless it was answered or used since it was copied.
DELETE FROM approval_requests
WHERE request_id = :request_id AND created_seq IS :created_seq AND closed_seq IS :closed_seq
  AND consumed_seq IS :consumed_seq
