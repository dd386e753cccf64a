-- Those of these records that stand for nobody and nothing of the accounts of this one's org.
WITH accounts AS MATERIALIZED (
    SELECT there.account_id
    FROM crm.account_org AS own
    INNER JOIN crm.account_org AS there ON own.organization_id = there.organization_id
    WHERE own.account_id = :account_id
),

known AS MATERIALIZED (
    SELECT i.salesforce_id
    FROM crm.identity AS i
    WHERE
        i.account_id IN (SELECT a.account_id FROM accounts AS a)
        AND i.salesforce_id = any(CAST(:salesforce_ids AS text []))
    UNION ALL
    SELECT o.salesforce_id
    FROM crm.operation AS o
    WHERE
        o.account_id IN (SELECT a.account_id FROM accounts AS a)
        AND o.kind = 'person'
        AND o.salesforce_id = any(CAST(:salesforce_ids AS text []))
    UNION ALL
    SELECT m.member_id
    FROM crm.campaign_member AS m
    WHERE
        m.account_id IN (SELECT a.account_id FROM accounts AS a)
        AND m.member_id = any(CAST(:salesforce_ids AS text []))
    UNION ALL
    SELECT r.salesforce_id
    FROM crm.record AS r
    WHERE
        r.account_id IN (SELECT a.account_id FROM accounts AS a)
        AND r.salesforce_id = any(CAST(:salesforce_ids AS text []))
)

SELECT made.salesforce_id
FROM unnest(CAST(:salesforce_ids AS text [])) AS made (salesforce_id)
WHERE made.salesforce_id NOT IN (SELECT k.salesforce_id FROM known AS k)
ORDER BY made.salesforce_id
