-- The updates that are to be compared with the org: some of each object, or all.
SELECT u.operation_id, u.sobject, u.salesforce_id, u.fields
FROM (
    SELECT
        operation_id,
        sobject,
        salesforce_id,
        fields,
        row_number() OVER (PARTITION BY sobject ORDER BY operation_id) AS place
    FROM planned
    WHERE outcome = 'update'
) AS u
WHERE
    (CAST(:most AS bigint) IS NULL OR u.place <= :most)
    AND (u.sobject, u.operation_id) > (:sobject, :operation_id)
ORDER BY u.sobject, u.operation_id
LIMIT :limit
