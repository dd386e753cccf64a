-- Prospects that are not among these are gone, and so are their people's data. Returns how many.
WITH gone AS (
    UPDATE crm.prospect AS p
    SET is_gone = true, is_due = true
    WHERE
        p.account_id = :account_id
        AND NOT p.is_gone
        AND NOT p.prospect_id = any(CAST(:prospect_ids AS text []))
        AND (
            CAST(:asked AS text []) IS NULL
            OR p.prospect_id = any(CAST(:asked AS text []))
        )
    RETURNING p.email
),

-- Whoever takes its record out of the bin does not bring it back to the source.
ended AS (
    UPDATE crm.prospect AS p
    SET deleted_record = NULL
    WHERE
        p.account_id = :account_id
        AND p.deleted_record IS NOT NULL
        AND NOT p.prospect_id = any(CAST(:prospect_ids AS text []))
        AND (
            CAST(:asked AS text []) IS NULL
            OR p.prospect_id = any(CAST(:asked AS text []))
        )
),

touched AS (
    UPDATE crm.engagement_person AS e
    SET is_due = true
    WHERE e.account_id = :account_id AND e.email IN (SELECT g.email FROM gone AS g)
)

SELECT count(*) AS number FROM gone
