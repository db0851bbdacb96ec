-- Where does the record in this database begin?
SELECT seq FROM approval_events ORDER BY seq LIMIT 1
