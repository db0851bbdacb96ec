-- Whose token is this? Disabled users have no say, from the next request on.
SELECT u.*, r.role_name FROM security_users u LEFT JOIN security_roles r ON r.role_id = u.role_id
WHERE u.token_sha256 = :token_sha256
