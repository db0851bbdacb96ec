-- When did a tick last happen?
SELECT at, uptime, boot, settle_until FROM heartbeat WHERE id = 1
