-- How many requests of one requester wait for a decision?
SELECT count(*) AS n FROM approval_requests
WHERE status = 'pending' AND expires_at > :now AND +user_id = :user_id
