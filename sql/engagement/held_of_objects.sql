-- How many records of these objects stand in the org for some topics.
SELECT
    r.sobject,
    count(*) AS number
FROM crm.record AS r
WHERE
    r.account_id = :account_id
    AND r.topic = any(CAST(:topics AS text []))
    AND r.sobject = any(CAST(:sobjects AS text []))
GROUP BY r.sobject
