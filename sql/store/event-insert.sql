-- One more event at the end of the chain.
INSERT INTO approval_events (seq, at, type, request_id, actor, data, prev_hash, hash)
VALUES (:seq, :at, :type, :request_id, :actor, :data, :prev_hash, :hash)
