-- Is this end of something that happened without the server in the record already? A rollback that was resumed has
-- another end, and so another result; restores have no id, and no two of them end in the same millisecond.
-- A row that was tampered with must not stop the search: json_extract fails on what is no JSON.
SELECT seq FROM approval_events
WHERE type = :type AND CASE WHEN json_valid(data)
  THEN json_extract(data, '$.id') IS :id AND json_extract(data, '$.finished_at') = :finished_at END
