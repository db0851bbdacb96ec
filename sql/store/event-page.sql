-- The record from a place on, in order.
SELECT * FROM approval_events WHERE seq > :after ORDER BY seq LIMIT :limit
