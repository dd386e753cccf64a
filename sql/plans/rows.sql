-- What a plan comes to, record by record: some of each object and outcome, or all.
SELECT r.kind, r.about, r.sobject, r.outcome, r.salesforce_id, r.fields, r.there, r.reason, r.code
FROM (
    SELECT
        *,
        row_number() OVER (PARTITION BY sobject, outcome ORDER BY operation_id) AS place
    FROM planned
) AS r
WHERE CAST(:most AS bigint) IS NULL OR r.place <= :most
ORDER BY r.operation_id
