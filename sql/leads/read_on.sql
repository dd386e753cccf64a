-- The tracked leads that were read as shipped on some days (UTC), but those that vanished.
SELECT t.lead_id
FROM crm.tracked_lead AS t
WHERE
    t.account_id = :account_id
    AND t.as_of <= :until
    AND CAST(t.as_of AT TIME ZONE 'UTC' AS date) = any(CAST(:days AS date []))
    AND t.rejected_because IS DISTINCT FROM 'vanished'
