-- Where does the record end? Kept outside the database, this line shows later whether the record was cut or rewritten.
SELECT seq, at, hash FROM approval_events WHERE seq = (SELECT max(seq) FROM approval_events)
