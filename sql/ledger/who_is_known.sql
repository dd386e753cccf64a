-- The people that the platform's id and the address of each of some rows point to, in the rows'
-- order.
SELECT
    array_agg(by_platform.person_key ORDER BY s.n) AS platform_people,
    array_agg(by_address.person_key ORDER BY s.n) AS address_people
FROM
    ROWS FROM (
        jsonb_to_recordset(CAST(:rows AS jsonb)) AS (source_person text, address text)
    ) WITH ORDINALITY AS s (source_person, address, n)
LEFT JOIN LATERAL (
    SELECT known.person_key
    FROM crm.person_pointer AS known
    WHERE
        known.account_id = :account_id
        AND known.kind = :kind
        AND known.value = s.source_person
    OFFSET 0
) AS by_platform ON true
LEFT JOIN LATERAL (
    SELECT p.person_key
    FROM crm.person AS p
    WHERE p.account_id = :account_id AND p.address = s.address
    OFFSET 0
) AS by_address ON true
