-- What does the archive hold of the lives of its requests?
SELECT created_seq, what, who, first_at, last_at FROM request_life
WHERE (created_seq, what, who) > (:created_seq, :what, :who) ORDER BY created_seq, what, who LIMIT :limit
