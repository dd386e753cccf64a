-- Values that were written to records of an org, or told of them; what is not named stays. A field
-- that is written is forgotten as told: the source, which wants the new value, knows it. In the order of
-- records, so that two accounts wait for each other in one direction only.
INSERT INTO crm.org_value AS v (organization_id, salesforce_id, written, told)
SELECT :organization_id, n.salesforce_id, n.written, n.told
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS n (salesforce_id text, written jsonb, told jsonb)
ORDER BY n.salesforce_id
ON CONFLICT (organization_id, salesforce_id) DO UPDATE
SET
    written = v.written || excluded.written,
    told = (v.told - ARRAY(SELECT jsonb_object_keys(excluded.written))) || excluded.told,
    seen_at = now()
