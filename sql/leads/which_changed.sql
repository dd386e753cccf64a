-- Those of some leads that are new or say something else than what is known of them, and is not
-- newer, with the person whom they were about until now, and by which address.
SELECT s.lead_id, t.person_key, t.address
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS s (
    lead_id text,
    happened_at timestamptz,
    as_of timestamptz,
    rejected_because text,
    email text,
    phone text,
    columns jsonb
)
LEFT JOIN crm.tracked_lead AS t ON t.account_id = :account_id AND s.lead_id = t.lead_id
WHERE
    t.lead_id IS NULL
    -- It had vanished, and is there again.
    OR t.rejected_because = 'vanished'
    OR (
        t.as_of <= s.as_of
        AND (t.columns, t.happened_at) IS DISTINCT FROM (s.columns, s.happened_at)
    )
    -- What the account says of it is not the source's.
    OR (
        t.as_of = s.as_of
        AND (t.rejected_because, t.email, t.phone)
        IS DISTINCT FROM (s.rejected_because, s.email, s.phone)
    )
