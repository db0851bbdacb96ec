-- The newest events, newest first: the end of the chain, which the next event must continue.
SELECT seq, at, type, request_id, actor, data, prev_hash, hash FROM approval_events ORDER BY seq DESC LIMIT :limit
