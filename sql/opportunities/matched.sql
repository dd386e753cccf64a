-- The tracked leads that had a part in some opportunities until now.
SELECT opportunity_id, lead_id, rule, because, number, parts, matched_at
FROM crm.opportunity_match
WHERE
    account_id = :account_id
    AND opportunity_id = any(CAST(:opportunity_ids AS text []))
    AND NOT withdrawn
