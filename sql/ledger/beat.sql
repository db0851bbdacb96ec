-- A tick happens.
INSERT INTO heartbeat (id, at, uptime, boot, settle_until) VALUES (1, :at, :uptime, :boot, :settle_until)
ON CONFLICT (id) DO UPDATE
SET at = excluded.at, uptime = excluded.uptime, boot = excluded.boot, settle_until = excluded.settle_until
