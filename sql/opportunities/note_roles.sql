-- Keeps roles as they were read; has matched anew the opportunities that they belong to, and did. Of
-- one that is gone no more may be told; one without a contact is none. A contact that was merged stands
-- for the winner: the role may have lain in the bin when the others moved.
WITH RECURSIVE told AS (
    SELECT *
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS t (
        role_id text,
        opportunity_id text,
        contact_id text,
        is_primary boolean,
        role text,
        deleted boolean
    )
),

stands_for AS (
    SELECT t.contact_id AS named, t.contact_id AS record_id
    FROM told AS t
    WHERE t.contact_id IS NOT NULL
    UNION
    SELECT s.named, p.merged_into
    FROM stands_for AS s
    INNER JOIN crm.opportunity_person AS p
        ON p.account_id = :account_id AND s.record_id = p.record_id AND p.merged_into IS NOT NULL
),

winner AS (
    SELECT s.named, s.record_id
    FROM stands_for AS s
    WHERE
        NOT EXISTS (
            SELECT FROM crm.opportunity_person AS p
            WHERE
                p.account_id = :account_id
                AND p.record_id = s.record_id
                AND p.merged_into IS NOT NULL
        )
),

before AS (
    SELECT r.role_id, r.opportunity_id
    FROM crm.opportunity_role AS r
    INNER JOIN told AS t ON r.role_id = t.role_id
    WHERE r.account_id = :account_id
),

noted AS (
    INSERT INTO crm.opportunity_role AS r (
        account_id, role_id, opportunity_id, contact_id, is_primary, role, deleted
    )
    SELECT
        :account_id,
        t.role_id,
        coalesce(t.opportunity_id, k.opportunity_id),
        coalesce(w.record_id, k.contact_id),
        t.is_primary,
        t.role,
        t.deleted
    FROM told AS t
    LEFT JOIN crm.opportunity_role AS k
        ON k.account_id = :account_id AND t.role_id = k.role_id
    LEFT JOIN winner AS w ON t.contact_id = w.named
    WHERE coalesce(w.record_id, k.contact_id) IS NOT NULL
    ON CONFLICT (account_id, role_id) DO UPDATE
    SET
        opportunity_id = excluded.opportunity_id,
        contact_id = excluded.contact_id,
        is_primary = excluded.is_primary,
        role = excluded.role,
        deleted = excluded.deleted,
        doubtful = false,
        read_at = now()
    WHERE
        r.doubtful
        OR (r.opportunity_id, r.contact_id, r.is_primary, r.role, r.deleted)
        IS DISTINCT FROM
        (
            excluded.opportunity_id, excluded.contact_id, excluded.is_primary, excluded.role,
            excluded.deleted
        )
    RETURNING r.role_id, r.opportunity_id
)

UPDATE crm.opportunity AS o
SET due = true
FROM (
    SELECT n.opportunity_id FROM noted AS n
    UNION
    SELECT b.opportunity_id
    FROM before AS b
    INNER JOIN noted AS n ON b.role_id = n.role_id
) AS c
WHERE o.account_id = :account_id AND o.opportunity_id = c.opportunity_id AND NOT o.due
