-- What the desk records beyond the team's columns. Runs on a new security.db and on an adopted one alike.

ALTER TABLE approval_requests ADD COLUMN server TEXT NOT NULL DEFAULT '';  -- the upstream; 'ops-canary' marks drills
ALTER TABLE approval_requests ADD COLUMN level TEXT;                       -- HIGH | CRITICAL when it was asked
ALTER TABLE approval_requests ADD COLUMN digest TEXT;                      -- SHA-256 of {server, tool, arguments}
ALTER TABLE approval_requests ADD COLUMN reason TEXT;                      -- why the requester asks
ALTER TABLE approval_requests ADD COLUMN consumed_at TEXT;                 -- when the approval was used, once

-- Where the record tells of the asking, of the answer and of the use. Three numbers instead of an index on approval_events.request_id,
-- whose random keys would dirty one page more for every event.
ALTER TABLE approval_requests ADD COLUMN created_seq INTEGER;
ALTER TABLE approval_requests ADD COLUMN closed_seq INTEGER;
ALTER TABLE approval_requests ADD COLUMN consumed_seq INTEGER;

ALTER TABLE security_users ADD COLUMN token_sha256 TEXT;                   -- of the bearer token; never the token

CREATE UNIQUE INDEX approval_requests_open_call ON approval_requests (user_id, digest) WHERE status = 'pending';
CREATE INDEX approval_requests_deadline ON approval_requests (expires_at) WHERE status = 'pending';
-- Serves every report by itself: a day is one range of it.
CREATE INDEX approval_requests_report ON approval_requests
  (requested_at, server, status, tool_name, user_id, responder_id, responded_at, expires_at);
-- A requester's own list.
CREATE INDEX approval_requests_requester ON approval_requests (user_id, requested_at, request_id);
CREATE UNIQUE INDEX security_users_token ON security_users (token_sha256) WHERE token_sha256 IS NOT NULL;

-- What happened, in order: one row per transition, bypassed call and administrative act. Each row's hash covers the
-- row and the hash before it, so that a changed, missing or moved row shows.
CREATE TABLE approval_events (
  seq        INTEGER PRIMARY KEY,
  at         TEXT NOT NULL,
  type       TEXT NOT NULL,
  request_id TEXT,
  actor      TEXT NOT NULL,
  data       TEXT NOT NULL,  -- canonical JSON
  prev_hash  TEXT NOT NULL,
  hash       TEXT NOT NULL
);
CREATE INDEX approval_events_at ON approval_events (type, at);
-- REPLACE would delete without asking the trigger for DELETE.
CREATE TRIGGER approval_events_in_order BEFORE INSERT ON approval_events
  WHEN NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM approval_events)
  BEGIN SELECT RAISE(ABORT, 'approval_events is append-only'); END;
CREATE TRIGGER approval_events_no_update BEFORE UPDATE ON approval_events
  BEGIN SELECT RAISE(ABORT, 'approval_events is append-only'); END;
CREATE TRIGGER approval_events_no_delete BEFORE DELETE ON approval_events
  BEGIN SELECT RAISE(ABORT, 'approval_events is append-only'); END;

-- Adopted rows whose deadline is no instant were never decidable, and would wait for ever.
UPDATE approval_requests SET status = 'expired'
WHERE status = 'pending' AND expires_at NOT GLOB '????-??-?? ??:??:??*';
