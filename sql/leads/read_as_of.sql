-- As of when some tracked leads were read; those that never were are absent, and those that vanished:
-- where they come back, they are read.
SELECT t.lead_id, t.as_of
FROM crm.tracked_lead AS t
WHERE
    t.account_id = :account_id
    AND t.lead_id = any(CAST(:lead_ids AS text []))
    AND t.rejected_because IS DISTINCT FROM 'vanished'
