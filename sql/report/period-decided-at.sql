-- When did each approver decide the requests of a period? One row per approver: milliseconds since 1970, a list, because
-- working hours and holidays are the team's and no matter of SQL. A time is null unless it is written as the desk, or
-- the old system, writes it. The plus sign keeps an old database's index on status from being chosen.
SELECT responder_id,
  json_group_array(
    CASE WHEN responded_at GLOB '????-??-?? ??:??:??' OR responded_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9]'
    THEN CAST(round((julianday(responded_at) - 2440587.5) * 86400000.0) AS INTEGER) END) AS decided_at
FROM approval_requests
WHERE requested_at >= :from AND requested_at < :until AND server <> 'ops-canary'
  AND +status IN ('approved', 'rejected')
GROUP BY responder_id
