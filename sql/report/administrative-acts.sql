-- Who changed users, tokens or settings, when did the server start and stop, and was anything changed behind its back or
-- put back from a backup?
-- `acts` is their number, whatever :limit shows.
SELECT seq, at, type, request_id, actor, data, count(*) OVER () AS acts FROM approval_events
WHERE type IN ('adopted', 'archived', 'changed_elsewhere', 'config_reloaded', 'restored', 'rollback', 'server_started',
    'server_stopped', 'token_issued', 'user_added', 'user_disabled', 'user_enabled')
  AND at >= :from AND at < :until
ORDER BY seq
LIMIT :limit
