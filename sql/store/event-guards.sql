-- Which of the triggers that keep the record are there?
SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name IN ('approval_events', 'approval_archives')
