-- The email addresses of a client's people, as the warehouse has them.
--
-- Parameter: client_id. The column's name is the contract, as in registrations.sql.
SELECT p.email
FROM warehouse.person AS p
WHERE p.client_id = :client_id
