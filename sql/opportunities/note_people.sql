-- Keeps people of the org as they were read; those who are read for a role or a conversion are added,
-- others only kept where they are known. Returns those of whom anything is other than before.
WITH told AS (
    SELECT *
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS t (
        record_id text,
        tracker_id text,
        email text,
        phones text [],
        deleted boolean,
        merged_into text,
        became_contact text,
        became_opportunity text,
        is_new boolean
    )
),

compared AS MATERIALIZED (
    SELECT
        t.*,
        k.record_id IS NULL AS is_added
    FROM told AS t
    LEFT JOIN crm.opportunity_person AS k
        ON k.account_id = :account_id AND t.record_id = k.record_id
    WHERE
        CASE
            WHEN k.record_id IS NULL THEN t.is_new
            ELSE k.doubtful OR (
                k.tracker_id, k.email, k.phones, k.deleted, k.merged_into, k.became_contact,
                k.became_opportunity
            )
            IS DISTINCT FROM (
                t.tracker_id, t.email, t.phones, t.deleted, t.merged_into, t.became_contact,
                t.became_opportunity
            )
        END
),

added AS (
    INSERT INTO crm.opportunity_person (
        account_id, record_id, tracker_id, email, phones, deleted, merged_into, became_contact,
        became_opportunity
    )
    SELECT
        :account_id,
        c.record_id,
        c.tracker_id,
        c.email,
        c.phones,
        c.deleted,
        c.merged_into,
        c.became_contact,
        c.became_opportunity
    FROM compared AS c
    WHERE c.is_added
),

changed AS (
    UPDATE crm.opportunity_person AS p
    SET
        tracker_id = c.tracker_id,
        email = c.email,
        phones = c.phones,
        deleted = c.deleted,
        merged_into = c.merged_into,
        became_contact = c.became_contact,
        became_opportunity = c.became_opportunity,
        doubtful = false
    FROM compared AS c
    WHERE p.account_id = :account_id AND p.record_id = c.record_id AND NOT c.is_added
),

asked AS (
    INSERT INTO crm.opportunity_question (account_id, question, record_id)
    SELECT :account_id, 'became', c.record_id
    FROM compared AS c
    WHERE c.is_added AND c.became_contact IS NULL
    ON CONFLICT DO NOTHING
)

SELECT record_id FROM compared
