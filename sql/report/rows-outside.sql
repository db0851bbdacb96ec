-- Which requests lie in no period at all, because their time is missing, is no time, or has not come yet? Without this
-- they would silently be in no report. Each part is one end of the index; all are empty in a healthy database. A time is
-- readable when it is written as the desk, or the old system, writes it. Only adopted tables can hold NULL here:
-- elsewhere the column is NOT NULL, and SQLite drops that part unread.
SELECT
  (SELECT count(*) FROM approval_requests
    WHERE requested_at > :soon AND server <> 'ops-canary'
      AND julianday(requested_at) IS NOT NULL AND (requested_at GLOB '????-??-?? ??:??:??'
        OR requested_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9]')) AS in_future,
  (SELECT count(*) FROM approval_requests WHERE requested_at IS NULL AND server <> 'ops-canary')
  + (SELECT count(*) FROM approval_requests WHERE requested_at < '1970' AND server <> 'ops-canary')
  + (SELECT count(*) FROM approval_requests
      WHERE requested_at > :soon AND server <> 'ops-canary'
        AND NOT (julianday(requested_at) IS NOT NULL AND (requested_at GLOB '????-??-?? ??:??:??'
          OR requested_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9]'))) AS unreadable
