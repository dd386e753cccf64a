-- Some replaced values that were kept before the last :days days.
DELETE FROM crm.replaced_value AS r
WHERE (r.operation_id, r.salesforce_id, r.cycle_id) IN (
    SELECT o.operation_id, o.salesforce_id, o.cycle_id
    FROM crm.replaced_value AS o
    WHERE o.kept_at < now() - make_interval(days => :days)
    LIMIT :limit
)
