-- Behind which event does the month end? Before the first one from after its end. One that is dated in the future was
-- written under a wrong clock: it says nothing, and goes where its neighbours go.
SELECT coalesce(
  (SELECT seq FROM live.approval_events
   WHERE seq > :after AND at >= :until AND at <= :now ORDER BY seq LIMIT 1),
  (SELECT seq + 1 FROM live.approval_events WHERE seq > :after AND at < :until ORDER BY seq DESC LIMIT 1)) AS seq
