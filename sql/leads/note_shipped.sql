-- These tracked leads were shipped again without another word.
UPDATE crm.tracked_lead AS t
SET as_of = s.at
FROM unnest(CAST(:lead_ids AS text []), CAST(:times AS timestamptz [])) AS s (lead_id, at)
WHERE t.account_id = :account_id AND t.lead_id = s.lead_id AND t.as_of < s.at
