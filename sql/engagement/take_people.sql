-- Keeps Leads and Contacts that have the address of a prospect, or had it, as they were read. What
-- of them changed is to be said, and what their prospects wait for is looked at. Whoever absorbed
-- one that had data of a prospect may have it now, too; where it is not among these, that is kept.
WITH RECURSIVE said AS (
    SELECT DISTINCT ON (s.salesforce_id) s.*
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS s (
        salesforce_id text,
        sobject text,
        email text,
        is_there boolean,
        is_converted boolean,
        columns jsonb,
        org_account text,
        merged_into text,
        successor text,
        stamp timestamptz
    )
    ORDER BY s.salesforce_id ASC, s.stamp DESC
),

-- Who stands for one that had a prospect's data, over any number of steps, and shows its prospect.
successor AS (
    SELECT s.successor AS salesforce_id, s.columns ->> 'prospect_id' AS shown
    FROM said AS s
    INNER JOIN crm.engagement_person AS k
        ON k.account_id = :account_id AND s.salesforce_id = k.salesforce_id
    WHERE k.is_engaged AND s.successor IS NOT NULL
    UNION
    SELECT k.unread_successor, k.columns ->> 'prospect_id'
    FROM crm.engagement_person AS k
    INNER JOIN said AS s ON k.account_id = :account_id AND k.unread_successor = s.salesforce_id
    UNION
    SELECT s.successor, f.shown
    FROM successor AS f
    INNER JOIN said AS s ON f.salesforce_id = s.salesforce_id
    WHERE s.successor IS NOT NULL
),

heir AS (
    SELECT DISTINCT f.salesforce_id
    FROM successor AS f
    INNER JOIN said AS s
        ON
            f.salesforce_id = s.salesforce_id
            AND f.shown IS NOT DISTINCT FROM s.columns ->> 'prospect_id'
    -- One that has a prospect's data of its own is known; it is not said anew with each reading.
    WHERE NOT EXISTS (
        SELECT
        FROM crm.engagement_person AS k
        WHERE
            k.account_id = :account_id
            AND k.salesforce_id = f.salesforce_id
            AND k.is_engaged
    )
),

kept AS (
    INSERT INTO crm.engagement_person AS e (
        account_id, salesforce_id, sobject, email, is_there, is_converted, columns,
        org_account, stamp, is_engaged, unread_successor
    )
    SELECT
        :account_id, s.salesforce_id, s.sobject, s.email, s.is_there, s.is_converted, s.columns,
        s.org_account, s.stamp, h.salesforce_id IS NOT NULL,
        CASE
            WHEN s.successor NOT IN (SELECT r.salesforce_id FROM said AS r)
                AND s.successor IN (SELECT f.salesforce_id FROM successor AS f)
                THEN s.successor
        END
    FROM said AS s
    LEFT JOIN heir AS h ON s.salesforce_id = h.salesforce_id
    WHERE
        h.salesforce_id IS NOT NULL
        OR EXISTS (
            SELECT
            FROM crm.engagement_address AS a
            WHERE a.account_id = :account_id AND a.email = s.email
        )
        OR EXISTS (
            SELECT
            FROM crm.engagement_person AS k
            WHERE k.account_id = :account_id AND k.salesforce_id = s.salesforce_id
        )
    ON CONFLICT (account_id, salesforce_id) DO UPDATE
    SET
        email = excluded.email,
        is_there = excluded.is_there,
        is_converted = excluded.is_converted,
        columns = excluded.columns,
        org_account = excluded.org_account,
        stamp = excluded.stamp,
        -- Another owner is told as an edit; the address of the same one is no edit of the record.
        is_to_tell = e.is_to_tell
        OR (
            e.is_engaged
            AND e.columns ->> 'owner_id' = excluded.columns ->> 'owner_id'
            AND e.columns ->> 'owner_email' IS DISTINCT FROM excluded.columns ->> 'owner_email'
        )
        -- Nor is it one where people merge it into another, which stands for it from then on.
        OR (
            e.is_engaged
            AND excluded.salesforce_id
            IN (SELECT l.salesforce_id FROM said AS l WHERE l.merged_into IS NOT NULL)
        ),
        is_engaged = e.is_engaged OR excluded.is_engaged,
        unread_successor = coalesce(excluded.unread_successor, e.unread_successor),
        is_due = e.is_due
        OR excluded.is_engaged
        OR (e.email, e.is_there, e.is_converted, e.org_account)
        IS DISTINCT FROM (
            excluded.email, excluded.is_there, excluded.is_converted, excluded.org_account
        )
    WHERE
        e.stamp <= excluded.stamp
        AND (excluded.is_engaged, e.email, e.is_there, e.is_converted, e.columns, e.org_account)
        IS DISTINCT FROM (
            false,
            excluded.email,
            excluded.is_there,
            excluded.is_converted,
            excluded.columns,
            excluded.org_account
        )
    RETURNING e.sobject, e.email, e.is_due
),

opened AS (
    UPDATE crm.prospect AS p
    SET is_open = true
    FROM kept AS k
    WHERE p.account_id = :account_id AND p.email = k.email AND k.is_due AND p.is_active
)

SELECT k.sobject, count(*) AS number
FROM kept AS k
GROUP BY k.sobject
