-- A stretch of the record, as it is.
INSERT INTO main.approval_events SELECT * FROM live.approval_events WHERE seq > :after AND seq <= :until
