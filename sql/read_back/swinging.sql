-- The fields of an org that came back to a value so often that nobody is told of them any more, with
-- the number of records.
SELECT sobject, field, count(*) AS records
FROM crm.org_swing
WHERE organization_id = :organization_id AND times >= :at_most
GROUP BY sobject, field
ORDER BY sobject, field
