-- Those of these records of one org that stand for nobody and nothing of any account.
SELECT r.salesforce_id
FROM unnest(CAST(:salesforce_ids AS text [])) AS r (salesforce_id)
WHERE
    NOT EXISTS (SELECT FROM crm.identity AS i WHERE i.salesforce_id = r.salesforce_id)
    AND NOT EXISTS (
        SELECT FROM crm.operation AS o
        WHERE o.salesforce_id = r.salesforce_id AND o.kind IN ('person', 'member')
    )
ORDER BY r.salesforce_id
