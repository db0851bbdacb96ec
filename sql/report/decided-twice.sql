-- Which requests have a decision on record that is not the one that counts? There must be none: the first decision
-- wins, and a later one is refused before it is recorded. CROSS JOIN: from the period's events to their requests.
SELECT e.request_id, count(*) AS others, count(*) OVER () AS requests
FROM approval_events e CROSS JOIN approval_requests r ON r.request_id = e.request_id
WHERE e.type IN ('approved', 'rejected') AND e.at >= :from AND e.at < :until
  AND r.closed_seq IS NOT e.seq AND r.server <> 'ops-canary'
GROUP BY e.request_id
ORDER BY e.request_id
LIMIT :limit
