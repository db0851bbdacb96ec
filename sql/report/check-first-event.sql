-- Since when does the desk keep its record? What is older cannot be expected of it.
SELECT at FROM approval_events ORDER BY seq LIMIT 1
