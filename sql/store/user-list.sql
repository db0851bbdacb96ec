-- Every user with the name of its role.
SELECT u.*, r.role_name FROM security_users u LEFT JOIN security_roles r ON r.role_id = u.role_id ORDER BY u.user_id
