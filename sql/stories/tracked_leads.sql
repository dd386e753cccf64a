-- The tracker's leads of some people, and the one that is asked for.
SELECT lead_id, happened_at, rejected_because, columns ->> 'kind' AS kind
FROM crm.tracked_lead
WHERE
    account_id = :account_id
    AND (
        person_key = any(CAST(:person_keys AS bigint []))
        OR 'lead:' || lead_id = any(CAST(:natural_keys AS text []))
    )
ORDER BY happened_at, lead_id
