-- Which rows of a period make no sense, and how many of each kind? They stay in the totals where they can; a row may
-- be odd in several ways. The WHERE drops the sound rows first, each by one pass over its columns; only what is left
-- is looked at closely. A time is readable when it is written as the desk, or the old system, writes it. Something may
-- have been decided between freezing the clock and reading: only what is later than :soon lies in the future.
WITH odd AS (
  SELECT status, requested_at, responded_at, expires_at,
    coalesce(status IN ('approved', 'rejected'), FALSE) AS is_decided,
    julianday(requested_at) IS NOT NULL AND (requested_at GLOB '????-??-?? ??:??:??'
      OR requested_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9]') AS has_start,
    julianday(responded_at) IS NOT NULL AND (responded_at GLOB '????-??-?? ??:??:??'
      OR responded_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9]') AS has_answer,
    julianday(expires_at) IS NOT NULL AND (expires_at GLOB '????-??-?? ??:??:??'
      OR expires_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9]') AS has_deadline
  FROM approval_requests
  WHERE requested_at >= :from AND requested_at < :until AND server <> 'ops-canary'
    AND (
      (status IN ('pending', 'expired', 'timeout', 'cancelled')
        OR (status IN ('approved', 'rejected')
          AND responded_at >= requested_at AND responded_at <= expires_at AND responded_at <= :soon
          AND julianday(responded_at) IS NOT NULL AND (responded_at GLOB '????-??-?? ??:??:??'
            OR responded_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9]')))
      AND expires_at >= requested_at
      AND julianday(requested_at) IS NOT NULL AND (requested_at GLOB '????-??-?? ??:??:??'
        OR requested_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9]')
      AND julianday(expires_at) IS NOT NULL AND (expires_at GLOB '????-??-?? ??:??:??'
        OR expires_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9]')
    ) IS NOT TRUE
)
SELECT
  count(*) AS odd_rows,
  count(*) FILTER (WHERE coalesce(status NOT IN
    ('pending', 'approved', 'rejected', 'expired', 'timeout', 'cancelled'), TRUE)) AS unknown_status,
  count(*) FILTER (WHERE NOT has_start) AS unreadable_request_time,
  count(*) FILTER (WHERE NOT has_deadline) AS unreadable_deadline,
  count(*) FILTER (WHERE is_decided AND NOT has_answer) AS unreadable_decision_time,
  count(*) FILTER (WHERE has_start AND has_deadline AND expires_at < requested_at) AS deadline_before_request,
  count(*) FILTER (WHERE is_decided AND has_start AND has_answer AND responded_at < requested_at)
    AS decided_before_request,
  count(*) FILTER (WHERE is_decided AND has_deadline AND has_answer AND responded_at > expires_at)
    AS decided_after_deadline,
  count(*) FILTER (WHERE is_decided AND has_answer AND responded_at > :soon) AS decided_in_future
FROM odd
