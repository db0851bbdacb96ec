-- One request by its full id.
SELECT * FROM approval_requests WHERE request_id = :request_id
