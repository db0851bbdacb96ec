-- When did the server start and stop, from its last start before :from on? Of two years of restarts a day's report needs
-- those about its day. `first_start` is the first on record. `alive_at` is the last thing before that only a running
-- server records: users and tokens are also written while it is down. A start that follows a start says that the server
-- did not stop by itself.
SELECT s.seq, s.at, s.type,
  (SELECT min(f.at) FROM approval_events f WHERE f.type = 'server_started') AS first_start,
  (SELECT p.at FROM approval_events p
    WHERE p.seq < s.seq AND p.type NOT IN ('adopted', 'token_issued', 'user_added', 'user_disabled', 'user_enabled')
    ORDER BY p.seq DESC LIMIT 1) AS alive_at
FROM approval_events s
WHERE s.type IN ('server_started', 'server_stopped')
  AND s.at >= coalesce((SELECT b.at FROM approval_events b
    WHERE b.type = 'server_started' AND b.at < :from ORDER BY b.at DESC LIMIT 1), '')
ORDER BY s.seq
