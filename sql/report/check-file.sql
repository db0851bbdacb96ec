-- How is the file filled? `requests` is told from the row numbers, which go up by one: counting ten million rows would
-- read an index from end to end.
SELECT j.journal_mode, s.page_size, p.page_count, f.freelist_count,
  coalesce((SELECT max(rowid) FROM approval_requests) - (SELECT min(rowid) FROM approval_requests) + 1, 0) AS requests
FROM pragma_journal_mode j, pragma_page_size s, pragma_page_count p, pragma_freelist_count f
