-- Which calls were asked about since an instant, oldest first, behind a place: for the forecast of another policy, a
-- bounded number at a time. Drills do not count.
SELECT requested_at, request_id, server, tool_name
FROM approval_requests
WHERE (requested_at, request_id) > (:at, :id) AND server IS NOT 'ops-canary'
ORDER BY requested_at, request_id LIMIT :limit
