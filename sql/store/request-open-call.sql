-- Has this requester already asked for exactly this call, and is it still pending? At most one row: the partial unique
-- index approval_requests_open_call sees to it.
SELECT * FROM approval_requests WHERE user_id = :user_id AND digest = :digest AND status = 'pending'
