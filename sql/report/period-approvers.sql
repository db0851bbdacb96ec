-- Who decided how much of a period's requests, how much of their own, and in how many milliseconds each time? One row per
-- approver; an empty responder_id is one of them. The ranks (median, p95) are taken in TypeScript from the lists: window
-- functions would sort the same rows twice, and a row per decision costs four times as much to hand over.
-- A time is null unless both its ends are written as the desk, or the old system, writes them: julianday() also takes
-- 'now', numbers and zones, and would make a time out of them. The difference is rounded because CAST cuts, which is
-- wrong by a second for most short spans. The plus sign keeps an index on status, which old databases have, from being
-- chosen over the period's.
SELECT responder_id,
  count(*) AS decided,
  count(*) FILTER (WHERE status = 'approved') AS approved,
  count(*) FILTER (WHERE responder_id = user_id) AS own,
  json_group_array(
    CASE WHEN (responded_at GLOB '????-??-?? ??:??:??' OR responded_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9]')
      AND (requested_at GLOB '????-??-?? ??:??:??' OR requested_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9]')
    THEN CAST(round((julianday(responded_at) - julianday(requested_at)) * 86400000.0) AS INTEGER) END) AS times
FROM approval_requests
WHERE requested_at >= :from AND requested_at < :until AND server <> 'ops-canary'
  AND +status IN ('approved', 'rejected')
GROUP BY responder_id
