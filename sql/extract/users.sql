-- The platform's users of a client that were shipped after :since, oldest shipping first: whom
-- requests from Salesforce may be about.
--
-- Parameters: client_id; since. The columns' names are the contract: user_id: as the platform
-- knows it, email, changed_at: when it was shipped. Further columns may be added: the filters of
-- listeners can name them.
SELECT
    p.person_id AS user_id,
    p.email,
    least(p.shipped_at, now()) AS changed_at,
    p.country_code,
    p.company_name
FROM warehouse.person AS p
WHERE p.client_id = :client_id AND p.shipped_at > :since
ORDER BY p.shipped_at
