-- Keeps fields that were held back, and forgets those that were written. A decision holds as long as
-- both sides say the same. Returns the fields that a person has not decided about yet, and that are
-- new or say something else.
WITH decided AS (
    SELECT d.*
    FROM
        jsonb_to_recordset(CAST(:rows AS jsonb)) AS d (
            person_key bigint,
            sobject text,
            salesforce_id text,
            field text,
            there jsonb,
            wanted jsonb,
            is_held boolean
        )
),

settled AS (
    DELETE FROM crm.field_conflict AS c
    USING decided AS d
    WHERE
        NOT d.is_held
        AND c.account_id = :account_id
        AND c.person_key = d.person_key
        AND c.field = d.field
)

INSERT INTO crm.field_conflict AS c (
    account_id, person_key, sobject, salesforce_id, field, there, wanted
)
SELECT :account_id, d.person_key, d.sobject, d.salesforce_id, d.field, d.there, d.wanted
FROM decided AS d
WHERE d.is_held
ON CONFLICT (account_id, person_key, field) DO UPDATE
SET
    sobject = excluded.sobject,
    salesforce_id = excluded.salesforce_id,
    there = excluded.there,
    wanted = excluded.wanted,
    decided = NULL,
    seen_at = now()
WHERE
    (c.salesforce_id, c.there, c.wanted)
    IS DISTINCT FROM (excluded.salesforce_id, excluded.there, excluded.wanted)
RETURNING c.field
