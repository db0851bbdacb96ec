-- What was moved out of this database, and where it is: one file for each calendar month of the team's zone. The
-- event `archived` of the record vouches for every row here; these are for the triggers and the reports.
CREATE TABLE approval_archives (
  month     TEXT PRIMARY KEY,   -- YYYY-MM
  file      TEXT NOT NULL,      -- its name in the folder archive/ beside this database
  sha256    TEXT NOT NULL,      -- of the file
  until     TEXT NOT NULL,      -- end of the month, UTC: what was asked before it is in this file or in an earlier one
  first_seq INTEGER NOT NULL,   -- the events in it; none when last_seq is smaller
  last_seq  INTEGER NOT NULL,
  last_hash TEXT NOT NULL,      -- what the next event of the record continues
  requests  INTEGER NOT NULL,   -- requests with a record
  adopted   INTEGER NOT NULL    -- requests that the old system left
);
CREATE TRIGGER approval_archives_in_order BEFORE INSERT ON approval_archives
  WHEN NEW.month <= (SELECT max(month) FROM approval_archives)
    OR NEW.first_seq <> (SELECT coalesce(max(last_seq), 0) + 1 FROM approval_archives)
  BEGIN SELECT RAISE(ABORT, 'approval_archives is append-only'); END;
CREATE TRIGGER approval_archives_no_update BEFORE UPDATE ON approval_archives
  BEGIN SELECT RAISE(ABORT, 'approval_archives is append-only'); END;
CREATE TRIGGER approval_archives_no_delete BEFORE DELETE ON approval_archives
  BEGIN SELECT RAISE(ABORT, 'approval_archives is append-only'); END;

-- An event may go once it is in an archive, and not before.
DROP TRIGGER approval_events_no_delete;
CREATE TRIGGER approval_events_no_delete BEFORE DELETE ON approval_events
  WHEN OLD.seq > (SELECT coalesce(max(last_seq), 0) FROM approval_archives)
  BEGIN SELECT RAISE(ABORT, 'approval_events is append-only'); END;
