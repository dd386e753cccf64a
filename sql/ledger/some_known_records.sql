-- Some records that the ledger knows in the account's org, of five objects at most, as good as at
-- random: old ones and new ones.
SELECT drawn.sobject, array_agg(drawn.salesforce_id) AS ids
FROM (
    SELECT
        known.sobject,
        known.salesforce_id,
        row_number() OVER (PARTITION BY known.sobject ORDER BY md5(known.salesforce_id)) AS place
    FROM (
        SELECT i.sobject, i.salesforce_id
        FROM crm.identity AS i
        WHERE i.account_id = :account_id
        UNION
        SELECT 'Campaign' AS sobject, c.campaign_id AS salesforce_id
        FROM crm.event_campaign AS c
        WHERE c.account_id = :account_id
        UNION
        SELECT r.sobject, r.salesforce_id
        FROM crm.record AS r
        WHERE r.account_id = :account_id AND r.salesforce_id IS NOT NULL
    ) AS known
) AS drawn
WHERE drawn.place <= :of_each
GROUP BY drawn.sobject
ORDER BY count(*) DESC, drawn.sobject
LIMIT 5
