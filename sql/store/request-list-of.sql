-- The same for the requests of one requester, by the index that is made for it.
SELECT *,
  (:status IS NULL
     OR (status = :status AND NOT (status = 'pending' AND expires_at <= :now))
     OR (:status = 'expired' AND (status = 'timeout' OR (status = 'pending' AND expires_at <= :now))))
  AND (:tool_name IS NULL OR tool_name = :tool_name) AS fits
FROM approval_requests
WHERE user_id = :user_id AND (:before_at IS NULL OR (requested_at, request_id) < (:before_at, :before_id))
ORDER BY requested_at DESC, request_id DESC LIMIT :limit
