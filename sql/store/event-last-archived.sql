-- The newest event that tells of an archive: it tells of all before it, too.
SELECT * FROM approval_events WHERE seq = (SELECT max(seq) FROM approval_events WHERE type = 'archived')
