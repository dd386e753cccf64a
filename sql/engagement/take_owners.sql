-- The owners of matched Leads and Contacts have other addresses by now (arrays of equal length).
UPDATE crm.engagement_person AS e
SET columns = e.columns || jsonb_build_object('owner_email', o.email), is_to_tell = e.is_engaged
FROM unnest(CAST(:owner_ids AS text []), CAST(:emails AS text [])) AS o (owner_id, email)
WHERE
    e.account_id = :account_id
    AND e.columns ->> 'owner_id' = o.owner_id
    AND e.columns ->> 'owner_email' IS DISTINCT FROM o.email
