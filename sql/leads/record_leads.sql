-- What was read of some leads, and whom they are about; nothing points to the person of one that is
-- rejected by now.
WITH said AS (
    SELECT *
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS s (
        lead_id text,
        happened_at timestamptz,
        as_of timestamptz,
        rejected_because text,
        email text,
        phone text,
        address text,
        person_key bigint,
        columns jsonb
    )
),

forgotten AS (
    DELETE FROM crm.person_pointer AS p
    USING said AS s
    WHERE
        s.rejected_because IS NOT NULL
        AND p.account_id = :account_id
        AND p.kind = 'tracked_lead'
        AND p.value = s.lead_id
)

INSERT INTO crm.tracked_lead (
    account_id, lead_id, happened_at, as_of, rejected_because, email, phone, address, person_key,
    columns
)
SELECT
    :account_id, s.lead_id, s.happened_at, s.as_of, s.rejected_because, s.email, s.phone,
    s.address, s.person_key, s.columns
FROM said AS s
ON CONFLICT (account_id, lead_id) DO UPDATE
SET
    happened_at = excluded.happened_at,
    as_of = excluded.as_of,
    rejected_because = excluded.rejected_because,
    email = excluded.email,
    phone = excluded.phone,
    address = excluded.address,
    person_key = excluded.person_key,
    columns = excluded.columns,
    moved = false,
    changed_at = now()
