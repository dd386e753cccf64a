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

noted AS (
    INSERT INTO crm.opportunity_person AS p (
        account_id, record_id, tracker_id, email, phones, deleted, merged_into, became_contact,
        became_opportunity
    )
    SELECT
        :account_id,
        t.record_id,
        t.tracker_id,
        t.email,
        t.phones,
        t.deleted,
        t.merged_into,
        t.became_contact,
        t.became_opportunity
    FROM told AS t
    WHERE
        t.is_new
        OR EXISTS (
            SELECT FROM crm.opportunity_person AS k
            WHERE k.account_id = :account_id AND k.record_id = t.record_id
        )
    ON CONFLICT (account_id, record_id) DO UPDATE
    SET
        tracker_id = excluded.tracker_id,
        email = excluded.email,
        phones = excluded.phones,
        deleted = excluded.deleted,
        merged_into = excluded.merged_into,
        became_contact = excluded.became_contact,
        became_opportunity = excluded.became_opportunity,
        doubtful = false
    WHERE
        p.doubtful
        OR (
            p.tracker_id, p.email, p.phones, p.deleted, p.merged_into, p.became_contact,
            p.became_opportunity
        )
        IS DISTINCT FROM (
            excluded.tracker_id, excluded.email, excluded.phones, excluded.deleted,
            excluded.merged_into, excluded.became_contact, excluded.became_opportunity
        )
    RETURNING p.record_id, p.became_contact, p.xmax = 0 AS is_new
),

asked AS (
    INSERT INTO crm.opportunity_question (account_id, question, record_id)
    SELECT :account_id, 'became', n.record_id
    FROM noted AS n
    WHERE n.is_new AND n.became_contact IS NULL
    ON CONFLICT DO NOTHING
)

SELECT record_id FROM noted
