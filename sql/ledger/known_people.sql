-- The people that the platform's ids and the addresses of some rows point to.
SELECT
    s.source_person,
    s.address,
    s.as_of,
    by_platform.person_key AS platform_person,
    by_platform.as_of AS platform_as_of,
    by_platform.address AS platform_address,
    by_address.person_key AS address_person
FROM
    jsonb_to_recordset(CAST(:rows AS jsonb)) AS s (
        source_person text,
        address text,
        as_of timestamptz
    )
LEFT JOIN LATERAL (
    SELECT known.person_key, known.as_of, p.address
    FROM crm.person_pointer AS known
    INNER JOIN crm.person AS p ON known.person_key = p.person_key
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
ORDER BY s.as_of, s.source_person
