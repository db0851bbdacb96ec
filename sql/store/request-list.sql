-- The next rows of the list, newest first, behind the place that the cursor names: a bounded number of them is looked
-- at, and `fits` says which ones the filter wants. So that no filter, however rare what it looks for, reads the whole
-- table in one go. Row-value comparison keeps the order total when several requests share an instant.
SELECT *,
  (:status IS NULL
     OR (status = :status AND NOT (status = 'pending' AND expires_at <= :now))
     OR (:status = 'expired' AND (status = 'timeout' OR (status = 'pending' AND expires_at <= :now))))
  AND (:tool_name IS NULL OR tool_name = :tool_name) AS fits
FROM approval_requests
WHERE (:before_at IS NULL OR (requested_at, request_id) < (:before_at, :before_id))
ORDER BY requested_at DESC, request_id DESC LIMIT :limit
