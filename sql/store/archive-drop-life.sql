-- What an archive holds of a request's life goes, unless more was seen since it was copied.
DELETE FROM request_life
WHERE created_seq = :created_seq AND what = :what AND who = :who AND first_at = :first_at AND last_at = :last_at
