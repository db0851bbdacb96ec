-- One more month was moved out; its event is written in the same transaction.
INSERT INTO approval_archives (month, file, sha256, until, first_seq, last_seq, last_hash, requests, adopted)
VALUES (:month, :file, :sha256, :until, :first_seq, :last_seq, :last_hash, :requests, :adopted)
