-- The tables that the team knows. A new security.db gets them; an adopted one has them and keeps its own.
-- Names and columns are the team's. Times are `YYYY-MM-DD HH:MM:SS.SSS`, UTC.

CREATE TABLE IF NOT EXISTS security_roles (
  role_id        INTEGER PRIMARY KEY AUTOINCREMENT,
  role_name      TEXT NOT NULL UNIQUE,
  description    TEXT,
  created_at     TEXT,
  is_system_role INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE IF NOT EXISTS security_users (
  user_id    TEXT PRIMARY KEY,
  username   TEXT,
  role_id    INTEGER REFERENCES security_roles (role_id) ON DELETE SET NULL,
  created_at TEXT,
  updated_at TEXT,
  is_active  INTEGER NOT NULL DEFAULT 1
);

CREATE TABLE IF NOT EXISTS approval_requests (
  request_id      TEXT PRIMARY KEY,                -- UUIDv4
  tool_name       TEXT NOT NULL,
  user_id         TEXT NOT NULL,                   -- the requester
  role            TEXT NOT NULL,                   -- the requester's role when it asked
  request_data    TEXT,                            -- the arguments, canonical JSON (RFC 8785)
  status          TEXT NOT NULL DEFAULT 'pending', -- pending | approved | rejected | expired | cancelled
  requested_at    TEXT NOT NULL,
  responded_at    TEXT,                            -- when a human answered; empty when nobody did
  responder_id    TEXT,                            -- the approver
  response_reason TEXT,
  expires_at      TEXT NOT NULL                    -- the deadline; at that instant it is too late
);
