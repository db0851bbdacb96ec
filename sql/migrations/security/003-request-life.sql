-- Who saw a request while it was open, and was its caller there? What the timeout diagnosis needs to say why nobody
-- answered. Not part of the hash chain: the chain has transitions and administrative acts, and nothing is decided by
-- what stands here.
--
-- One row per request, kind and person, however often it happened:
--   notified  the event of its asking was sent to somebody who may decide it
--   listed    a list showed it to such a person
--   opened    such a person looked at it by itself
--   waiting   its requester waited for the answer, or asked how it stands; last_at is when it was last seen
--   left      its requester hung up while waiting
--   late      somebody tried to decide it after its deadline
-- The key is the request's created_seq: rows of one second lie side by side, where a UUID would dirty a page for each.
CREATE TABLE request_life (
  created_seq INTEGER NOT NULL,
  what        TEXT NOT NULL,
  who         TEXT NOT NULL,
  first_at    TEXT NOT NULL,  -- `YYYY-MM-DD HH:MM:SS.SSS`, UTC
  last_at     TEXT NOT NULL,
  PRIMARY KEY (created_seq, what, who)
) WITHOUT ROWID;

-- 1: what is not in request_life did not happen. Empty on rows from before this table and 0 on drills: there, what is
-- missing is unknown.
ALTER TABLE approval_requests ADD COLUMN life INTEGER;
