-- Fields of an org that were seen to change, after a value of ours; in the order of records, so that two
-- accounts wait for each other in one direction only.
INSERT INTO crm.org_swing AS s (organization_id, salesforce_id, field, sobject, times, previous)
SELECT :organization_id, n.salesforce_id, n.field, n.sobject, n.times, n.previous
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS n (
    salesforce_id text, field text, sobject text, times integer, previous bigint
)
ORDER BY n.salesforce_id, n.field
ON CONFLICT (organization_id, salesforce_id, field) DO UPDATE
SET times = excluded.times, previous = excluded.previous, seen_at = now()
