-- The oldest events go, as far as an archive holds them: the trigger sees to that, too.
DELETE FROM approval_events WHERE seq IN (
  SELECT seq FROM approval_events WHERE seq <= :last_seq ORDER BY seq LIMIT :limit)
