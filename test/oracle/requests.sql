-- The figures of the reports, worked out anew from the rows: by other means than sql/report and src/jobs, so that a fault
-- in those is not repeated here. For the sqlite3 shell; :now is an instant in ms, the zone is Seoul's (UTC+9, always).
-- Slow and plain on purpose: every row is taken apart once, then counted.

-- Every time of every row, and its milliseconds where the text is one that the desk or the old system writes.
CREATE TEMP TABLE moment AS
SELECT id, what, text,
  CASE WHEN typeof(text) = 'text'
    AND substr(text, 1, 19) GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
    AND (length(text) = 19 OR (length(text) = 23 AND substr(text, 20) GLOB '.[0-9][0-9][0-9]'))
    AND CAST(substr(text, 6, 2) AS INTEGER) BETWEEN 1 AND 12 AND CAST(substr(text, 9, 2) AS INTEGER) BETWEEN 1 AND 31
  THEN CAST(strftime('%s', substr(text, 1, 19)) AS INTEGER) * 1000
    + CASE length(text) WHEN 23 THEN CAST(substr(text, 21) AS INTEGER) ELSE 0 END END AS ms
FROM (
  SELECT rowid AS id, 'asked' AS what, requested_at AS text FROM approval_requests
  UNION ALL SELECT rowid, 'answered', responded_at FROM approval_requests
  UNION ALL SELECT rowid, 'deadline', expires_at FROM approval_requests);

CREATE TEMP TABLE clock AS
SELECT :now AS now, day, day + 18 * 3600000 AS evening,
  -- 1970-01-01 was a Thursday; 0 is a Monday.
  ((:now + 32400000) / 86400000 + 3) % 7 AS weekday,
  strftime('%Y-%m-%d %H:%M:%S', :now / 1000, 'unixepoch') || printf('.%03d', :now % 1000) AS now_text,
  strftime('%Y-%m-%d %H:%M:%S', :now / 1000 + 60, 'unixepoch') || printf('.%03d', :now % 1000) AS soon_text
FROM (SELECT (:now + 32400000) / 86400000 * 86400000 - 32400000 AS day);

CREATE TEMP TABLE period AS
SELECT name, since, until,
  strftime('%Y-%m-%d %H:%M:%S', since / 1000, 'unixepoch') AS since_text,
  strftime('%Y-%m-%d %H:%M:%S', until / 1000, 'unixepoch')
    || CASE until % 1000 WHEN 0 THEN '' ELSE printf('.%03d', until % 1000) END AS until_text
FROM (
  SELECT 'today' AS name, day AS since, now AS until FROM clock
  UNION ALL SELECT 'evening', evening - 86400000, min(evening, now) FROM clock
  UNION ALL SELECT 'last_week', day - 7 * 86400000, now - 7 * 86400000 FROM clock
  UNION ALL SELECT 'yesterday', day - 86400000, day FROM clock
  UNION ALL SELECT 'week_before', day - 8 * 86400000, day - 7 * 86400000 FROM clock
  UNION ALL SELECT 'seven_days', now - 7 * 86400000, now FROM clock
  UNION ALL SELECT 'weeks', monday - 28 * 86400000, now FROM (SELECT now, day - weekday * 86400000 AS monday FROM clock)
  UNION ALL SELECT 'week-' || ago, monday - ago * 7 * 86400000, min(now, monday + (1 - ago) * 7 * 86400000)
    FROM (SELECT now, day - weekday * 86400000 AS monday FROM clock),
      (SELECT value AS ago FROM json_each('[0, 1, 2, 3, 4]')));

CREATE TEMP TABLE request AS
SELECT r.request_id, r.tool_name, r.user_id, r.responder_id,
  a.ms AS asked, a.text AS asked_text, b.ms AS answered, b.text AS answered_text, d.ms AS deadline,
  d.text AS deadline_text,
  CASE r.status WHEN 'approved' THEN 'approved' WHEN 'rejected' THEN 'rejected' WHEN 'cancelled' THEN 'cancelled'
    WHEN 'expired' THEN 'unanswered' WHEN 'timeout' THEN 'unanswered'
    WHEN 'pending' THEN CASE WHEN d.text <= now_text THEN 'unanswered' ELSE 'open' END
    ELSE 'unknown' END AS kind,
  r.status = 'pending' AS is_pending
FROM approval_requests r, clock
JOIN moment a ON a.id = r.rowid AND a.what = 'asked'
JOIN moment b ON b.id = r.rowid AND b.what = 'answered'
JOIN moment d ON d.id = r.rowid AND d.what = 'deadline'
WHERE r.server <> 'ops-canary';

-- Two times, the earlier one first? Where only one of them has milliseconds, they are compared by the second.
CREATE TEMP TABLE member AS
SELECT p.name, r.*, kind IN ('approved', 'rejected') AS is_decided,
  CASE WHEN kind IN ('approved', 'rejected') AND answered >= asked THEN answered - asked END AS took,
  asked IS NOT NULL AND deadline IS NOT NULL AND CASE WHEN length(asked_text) = length(deadline_text)
    THEN deadline < asked ELSE deadline_text < asked_text END AS deadline_first,
  asked IS NOT NULL AND answered IS NOT NULL AND CASE WHEN length(asked_text) = length(answered_text)
    THEN answered < asked ELSE answered_text < asked_text END AS answer_first,
  answered IS NOT NULL AND deadline IS NOT NULL AND CASE WHEN length(answered_text) = length(deadline_text)
    THEN deadline < answered ELSE deadline_text < answered_text END AS too_late,
  answered IS NOT NULL AND answered > (SELECT now FROM clock) + 60000 AS not_yet
FROM period p JOIN request r
  ON CASE WHEN asked IS NOT NULL THEN asked >= since AND asked < until
    ELSE asked_text >= since_text AND asked_text < until_text END;

SELECT json_object('figure', 'totals', 'period', p.name, 'value', json_object(
  'total', count(m.request_id) - count(*) FILTER (WHERE kind = 'unknown'),
  'open', count(*) FILTER (WHERE kind = 'open'), 'unanswered', count(*) FILTER (WHERE kind = 'unanswered'),
  'decided', count(*) FILTER (WHERE is_decided), 'approved', count(*) FILTER (WHERE kind = 'approved'),
  'rejected', count(*) FILTER (WHERE kind = 'rejected'), 'cancelled', count(*) FILTER (WHERE kind = 'cancelled'),
  'unknown_status', count(*) FILTER (WHERE kind = 'unknown')))
FROM period p LEFT JOIN member m USING (name) GROUP BY p.name;

-- Nearest rank: the value at place ceil(p n / 100) of the sorted ones.
CREATE TEMP TABLE ranked AS
SELECT name, responder_id, took,
  row_number() OVER (PARTITION BY name ORDER BY took) AS place, count(*) OVER (PARTITION BY name) AS n,
  row_number() OVER (PARTITION BY name, responder_id ORDER BY took) AS own_place,
  count(*) OVER (PARTITION BY name, responder_id) AS own_n
FROM member WHERE took IS NOT NULL;

SELECT json_object('figure', 'times', 'period', p.name, 'value', json_object('n', count(took),
  'p50_ms', max(took) FILTER (WHERE place = (n * 50 + 99) / 100),
  'p90_ms', max(took) FILTER (WHERE place = (n * 90 + 99) / 100),
  'p95_ms', max(took) FILTER (WHERE place = (n * 95 + 99) / 100), 'max_ms', max(took)))
FROM period p LEFT JOIN ranked USING (name) GROUP BY p.name;

SELECT json_object('figure', 'tools', 'value', json_group_array(json_object('tool_name', tool_name, 'requests', requests,
  'approved', approved, 'rejected', rejected, 'unanswered', unanswered)))
FROM (
  SELECT tool_name, count(*) AS requests, sum(kind = 'approved') AS approved, sum(kind = 'rejected') AS rejected,
    sum(kind = 'unanswered') AS unanswered
  FROM member WHERE name = 'evening' AND kind <> 'unknown'
  GROUP BY tool_name ORDER BY 2 DESC, 1 LIMIT 5);

SELECT json_object('figure', 'unanswered', 'value', json_group_array(json_object('tool_name', tool_name,
  'unanswered', unanswered)))
FROM (
  SELECT tool_name, count(*) AS unanswered FROM member WHERE name = 'evening' AND kind = 'unanswered'
  GROUP BY tool_name ORDER BY 2 DESC, 1 LIMIT 5);

SELECT json_object('figure', 'unanswered_tools', 'value', json_group_object(tool_name, unanswered))
FROM (
  SELECT tool_name, count(*) AS unanswered FROM member WHERE name = 'seven_days' AND kind = 'unanswered'
  GROUP BY tool_name);

SELECT json_object('figure', 'decided_tools', 'value', json_group_object(tool_name, json_array(requests, decided, rejected)))
FROM (
  SELECT tool_name, count(*) AS requests, sum(is_decided) AS decided, sum(kind = 'rejected') AS rejected
  FROM member WHERE name = 'weeks' AND kind <> 'unknown'
  GROUP BY tool_name);

SELECT json_object('figure', 'approver', 'period', m.name, 'value', json_object('user_id', m.responder_id,
  'is_generic', json(iif(coalesce(lower(m.responder_id), '') IN
    ('', 'admin', 'administrator', 'api-admin', 'cli_admin', 'root', 'system'), 'true', 'false')),
  'decided', count(*), 'approved', sum(kind = 'approved'), 'rejected', sum(kind = 'rejected'),
  'timed', count(took),
  'median_ms', (SELECT took FROM ranked k WHERE k.name = m.name AND k.responder_id IS m.responder_id
    AND own_place = (own_n + 1) / 2),
  'fast', count(*) FILTER (WHERE took <= 2000), 'maybe_fast', count(*) FILTER (WHERE took > 2000 AND took <= 3000),
  'own', count(*) FILTER (WHERE m.user_id = m.responder_id)))
FROM member m WHERE name IN ('evening', 'weeks') AND is_decided GROUP BY m.name, m.responder_id;

SELECT json_object('figure', 'oddities', 'period', p.name, 'value', json_object(
  'unknown_status', count(*) FILTER (WHERE kind = 'unknown'),
  'unreadable_request_time', count(*) FILTER (WHERE request_id IS NOT NULL AND asked IS NULL),
  'unreadable_deadline', count(*) FILTER (WHERE request_id IS NOT NULL AND deadline IS NULL),
  'unreadable_decision_time', count(*) FILTER (WHERE is_decided AND answered IS NULL),
  'deadline_before_request', count(*) FILTER (WHERE deadline_first),
  'decided_before_request', count(*) FILTER (WHERE is_decided AND answer_first),
  'decided_after_deadline', count(*) FILTER (WHERE is_decided AND too_late),
  'decided_in_future', count(*) FILTER (WHERE is_decided AND not_yet)),
  'rows', count(*) FILTER (WHERE kind = 'unknown' OR (request_id IS NOT NULL AND asked IS NULL)
    OR (request_id IS NOT NULL AND deadline IS NULL) OR deadline_first
    OR (is_decided AND (answered IS NULL OR answer_first OR too_late OR not_yet))))
FROM period p LEFT JOIN member m USING (name) GROUP BY p.name;

SELECT json_object('figure', 'outside', 'value', json_object(
  'in_future', count(*) FILTER (WHERE asked IS NOT NULL AND asked_text > soon_text),
  'unreadable', count(*) FILTER (WHERE asked_text IS NULL OR asked_text < '1970'
    OR (asked IS NULL AND asked_text > soon_text))))
FROM request, clock;

SELECT json_object('figure', 'waiting', 'value', json_object(
  'open', count(*) FILTER (WHERE is_pending AND deadline_text > now_text),
  'oldest', min(asked_text) FILTER (WHERE is_pending AND deadline_text > now_text),
  'soonest', min(deadline_text) FILTER (WHERE is_pending AND deadline_text > now_text)))
FROM request, clock;

-- Drills are no exception here: one that is left pending is a fault as well. The sweeper has five seconds, and the
-- diagnosis a minute.
SELECT json_object('figure', 'zombies', 'period', 'after_' || seconds, 'value', count(r.rowid))
FROM (SELECT value AS seconds,
    strftime('%Y-%m-%d %H:%M:%S', now / 1000 - value, 'unixepoch')
      || CASE now % 1000 WHEN 0 THEN '' ELSE printf('.%03d', now % 1000) END AS before
  FROM clock, json_each('[5, 60]'))
LEFT JOIN approval_requests r ON status = 'pending' AND expires_at <= before
GROUP BY seconds;

-- Is there anything before the end of the period? Without it there is nothing to compare with, which is not zero.
SELECT json_object('figure', 'has_data', 'period', p.name, 'value', json(iif(EXISTS (
  SELECT 1 FROM moment WHERE what = 'asked' AND text >= '1970' AND text < until_text), 'true', 'false')))
FROM period p;
