-- The toolkit's own state, apart from security.db, so that the checks work when that one does not.
-- Times are `YYYY-MM-DD HH:MM:SS.SSS`, UTC.

CREATE TABLE scheduled_jobs (
  job         TEXT PRIMARY KEY,
  known_since TEXT NOT NULL      -- what was due before is not owed
) STRICT;

CREATE TABLE job_runs (
  run_id       INTEGER PRIMARY KEY,
  job          TEXT NOT NULL,
  nominal_date TEXT NOT NULL,    -- the date in the team's zone: a job runs at most once for it
  nominal      TEXT NOT NULL,    -- the instant at which it was due
  state        TEXT NOT NULL CHECK (state IN
    ('CLAIMED', 'RUNNING', 'DONE', 'FAILED', 'TIMED_OUT', 'ABANDONED', 'MISSED', 'OVERLAP')),
  attempt      INTEGER NOT NULL DEFAULT 1,
  started_by   TEXT NOT NULL CHECK (started_by IN ('node-cron', 'cron', 'catch-up', 'hand')),
  claimed_at   TEXT NOT NULL,    -- when this row was made, or taken over for another attempt
  holder_host  TEXT NOT NULL,    -- who claimed it. Ids of processes are reused; with start and boot they are not
  holder_pid   INTEGER NOT NULL,
  holder_start TEXT NOT NULL,
  holder_boot  TEXT NOT NULL,
  child_pid    INTEGER,          -- the leader of the process group that runs it
  child_start  TEXT,
  started_at   TEXT,
  finished_at  TEXT,
  exit_code    INTEGER,
  output_tail  TEXT,             -- the last 10,000 bytes
  output_file  TEXT,             -- up to 10 MB
  missed_from  TEXT,             -- MISSED: the first date and the number of slots this row stands for
  missed_count INTEGER,
  note         TEXT,
  UNIQUE (job, nominal_date)     -- decides every race between schedulers, cron and people
) STRICT;

CREATE INDEX job_runs_by_due ON job_runs (job, nominal);

-- One row: when a tick last happened, by the wall clock and by the one that nobody can set.
CREATE TABLE heartbeat (
  id           INTEGER PRIMARY KEY CHECK (id = 1),
  at           TEXT NOT NULL,
  uptime       REAL NOT NULL,
  boot         TEXT NOT NULL,
  settle_until REAL NOT NULL
) STRICT;
