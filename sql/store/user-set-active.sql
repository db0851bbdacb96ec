-- Out at once, or in again. The token stays known, so that its use can be told from a stranger's.
UPDATE security_users SET is_active = :is_active, updated_at = :at WHERE user_id = :user_id
