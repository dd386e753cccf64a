-- Prospects whose records people deleted in the org are gone, until the source changes them.
WITH gone AS (
    UPDATE crm.prospect AS p
    SET is_gone = true, is_due = true, deleted_record = r.salesforce_id
    FROM crm.record AS r
    WHERE
        r.account_id = :account_id
        AND r.salesforce_id = any(CAST(:salesforce_ids AS text []))
        AND p.account_id = r.account_id
        AND r.natural_key = 'prospect:' || p.prospect_id
        AND NOT p.is_gone
    RETURNING p.email
)

UPDATE crm.engagement_person AS e
SET is_due = true
WHERE e.account_id = :account_id AND e.email IN (SELECT g.email FROM gone AS g)
