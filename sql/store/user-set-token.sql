-- A new token; the old one is worth nothing from now on.
UPDATE security_users SET token_sha256 = :token_sha256, updated_at = :at WHERE user_id = :user_id
