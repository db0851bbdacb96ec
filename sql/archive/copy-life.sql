-- Who saw the requests of a stretch.
INSERT INTO main.request_life SELECT * FROM live.request_life WHERE created_seq > :after AND created_seq <= :until
