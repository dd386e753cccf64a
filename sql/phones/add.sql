-- Numbers of some records.
INSERT INTO crm.org_phone (account_id, phone, salesforce_id)
SELECT :account_id, n.phone, n.salesforce_id
FROM unnest(CAST(:phones AS text []), CAST(:salesforce_ids AS text [])) AS n (phone, salesforce_id)
ON CONFLICT DO NOTHING
