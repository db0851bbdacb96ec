-- A new user. A taken id is left alone: no row changes.
INSERT INTO security_users (user_id, username, role_id, created_at, updated_at, is_active, token_sha256)
SELECT :user_id, :username, r.role_id, :at, :at, 1, :token_sha256 FROM security_roles r WHERE r.role_name = :role
ON CONFLICT (user_id) DO NOTHING
