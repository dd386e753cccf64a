-- People came with further addresses; one that is somebody's already stays theirs, and one that was
-- noted stays whose it is.
INSERT INTO crm.person_alias (account_id, address, person_key, source_person, taken)
SELECT
    :account_id,
    a.address,
    a.person_key,
    a.source_person,
    EXISTS (
        SELECT FROM crm.person AS p
        WHERE p.account_id = :account_id AND p.address = a.address AND p.person_key <> a.person_key
    )
FROM unnest(
    CAST(:addresses AS text []),
    CAST(:person_keys AS bigint []),
    CAST(:source_people AS text [])
) AS a (address, person_key, source_person)
ON CONFLICT (account_id, address) DO NOTHING
