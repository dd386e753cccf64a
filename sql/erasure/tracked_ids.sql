-- The tracker's leads of some people.
SELECT lead_id
FROM crm.tracked_lead
WHERE
    account_id = :account_id
    AND (
        person_key = any(CAST(:person_keys AS bigint []))
        OR email = any(:addresses)
        OR address = any(:addresses)
    )
