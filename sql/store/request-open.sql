-- The waiting list, oldest first; of one requester, or of all when :user_id is null. The partial index of pending rows
-- keeps it small; + keeps the planner off the report index, which would walk years of finished rows.
SELECT * FROM approval_requests
WHERE status = 'pending' AND expires_at > :now AND (:user_id IS NULL OR +user_id = :user_id)
ORDER BY +requested_at, request_id LIMIT :limit
