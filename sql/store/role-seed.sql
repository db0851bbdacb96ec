-- The roles that the desk knows. Roles of an adopted database stay as they are.
INSERT INTO security_roles (role_name, description, created_at, is_system_role)
VALUES ('guest', 'calls LOW and MEDIUM tools', :at, 1), ('developer', 'asks for approval', :at, 1),
       ('approver', 'decides requests', :at, 1), ('admin', 'manages users and policy', :at, 1)
ON CONFLICT (role_name) DO NOTHING
