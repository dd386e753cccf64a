-- Opportunities that roles or conversions name and that were never read are to be read.
INSERT INTO crm.opportunity_question (account_id, question, record_id)
SELECT :account_id, 'opportunity', n.opportunity_id
FROM unnest(CAST(:opportunity_ids AS text [])) AS n (opportunity_id)
WHERE NOT EXISTS (
    SELECT FROM crm.opportunity AS o
    WHERE o.account_id = :account_id AND o.opportunity_id = n.opportunity_id
)
ON CONFLICT DO NOTHING
