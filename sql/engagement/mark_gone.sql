-- Prospects that are not among these are gone, and so are their people's data. Returns how many that
-- were not gone yet. Whoever takes the record of one out of the bin does not bring it back to the
-- source.
WITH missing AS (
    SELECT p.prospect_id, p.email, p.is_gone
    FROM crm.prospect AS p
    WHERE
        p.account_id = :account_id
        AND NOT p.left_source
        AND NOT p.prospect_id = any(CAST(:prospect_ids AS text []))
        AND (
            CAST(:asked AS text []) IS NULL
            OR p.prospect_id = any(CAST(:asked AS text []))
        )
),

gone AS (
    UPDATE crm.prospect AS p
    SET
        is_gone = true,
        left_source = true,
        is_due = p.is_due OR NOT p.is_gone,
        deleted_record = coalesce(
            p.deleted_record,
            (
                SELECT r.salesforce_id
                FROM crm.record AS r
                WHERE
                    r.account_id = p.account_id
                    AND r.natural_key = 'prospect:' || p.prospect_id
            )
        )
    FROM missing AS m
    WHERE p.account_id = :account_id AND p.prospect_id = m.prospect_id
),

touched AS (
    UPDATE crm.engagement_person AS e
    SET is_due = true
    WHERE
        e.account_id = :account_id
        AND e.email IN (SELECT m.email FROM missing AS m WHERE NOT m.is_gone)
)

SELECT count(*) AS number
FROM missing AS m
WHERE NOT m.is_gone
