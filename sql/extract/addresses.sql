-- The present addresses of some people of a client, by the platform's ids: asked where somebody comes
-- to an address that another one has, so that whoever has left it is known first, however far
-- down the rows of that one stand.
--
-- Parameters: client_id; person_ids: as registrations.sql gives them, as text. The columns' names are
-- the contract: person_id and email as in registrations.sql, changed_at: when the person was shipped,
-- not later than now.
SELECT
    p.person_id,
    p.email,
    least(p.shipped_at, now()) AS changed_at
FROM warehouse.person AS p
WHERE
    p.client_id = :client_id
    AND p.person_id = any(CAST(CAST(:person_ids AS text []) AS bigint []))
