-- Those of these activities of an org that are an operation's, of whatever person or account.
SELECT DISTINCT salesforce_id
FROM crm.operation
WHERE
    kind = 'activity'
    AND salesforce_id IS NOT NULL
    AND salesforce_id = any(CAST(:salesforce_ids AS text []))
