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

compared AS MATERIALIZED (
    SELECT
        t.role_id,
        coalesce(t.opportunity_id, k.opportunity_id) AS opportunity_id,
        coalesce(w.record_id, k.contact_id) AS contact_id,
        t.is_primary,
        t.role,
        t.deleted,
        k.role_id IS NULL AS is_new,
        k.opportunity_id AS former_opportunity_id
    FROM told AS t
    LEFT JOIN crm.opportunity_role AS k
        ON k.account_id = :account_id AND t.role_id = k.role_id
    LEFT JOIN winner AS w ON t.contact_id = w.named
    WHERE
        coalesce(w.record_id, k.contact_id) IS NOT NULL
        AND (
            k.role_id IS NULL
            OR k.doubtful
            OR (k.opportunity_id, k.contact_id, k.is_primary, k.role, k.deleted)
            IS DISTINCT FROM (
                coalesce(t.opportunity_id, k.opportunity_id), coalesce(w.record_id, k.contact_id),
                t.is_primary, t.role, t.deleted
            )
        )
),

added AS (
    INSERT INTO crm.opportunity_role (
        account_id, role_id, opportunity_id, contact_id, is_primary, role, deleted
    )
    SELECT
        :account_id, c.role_id, c.opportunity_id, c.contact_id, c.is_primary, c.role, c.deleted
    FROM compared AS c
    WHERE c.is_new
),

changed AS (
    UPDATE crm.opportunity_role AS r
    SET
        opportunity_id = c.opportunity_id,
        contact_id = c.contact_id,
        is_primary = c.is_primary,
        role = c.role,
        deleted = c.deleted,
        doubtful = false,
        read_at = now()
    FROM compared AS c
    WHERE r.account_id = :account_id AND r.role_id = c.role_id AND NOT c.is_new
)

UPDATE crm.opportunity AS o
SET due = true
FROM (
    SELECT c.opportunity_id FROM compared AS c
    UNION
    SELECT c.former_opportunity_id FROM compared AS c
) AS n
WHERE o.account_id = :account_id AND o.opportunity_id = n.opportunity_id AND NOT o.due
