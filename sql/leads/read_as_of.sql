-- As of when some tracked leads were read; those that never were are absent.
SELECT t.lead_id, t.as_of
FROM crm.tracked_lead AS t
WHERE t.account_id = :account_id AND t.lead_id = any(CAST(:lead_ids AS text []))
