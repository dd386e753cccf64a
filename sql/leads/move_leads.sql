-- Leads that are about somebody else, since another lead told whose number theirs is.
UPDATE crm.tracked_lead AS t
SET address = s.address, person_key = s.person_key, changed_at = now()
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS s (
    lead_id text,
    address text,
    person_key bigint
)
WHERE t.account_id = :account_id AND t.lead_id = s.lead_id
