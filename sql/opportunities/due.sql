-- The next opportunities to be matched. as_of grows with each time, whatever the clock does.
SELECT
    o.opportunity_id,
    o.record,
    o.amount,
    o.deleted,
    o.version,
    o.created_at,
    o.in_filter,
    o.told,
    greatest(now(), o.looked_at + interval '1 microsecond') AS as_of,
    coalesce(
        (
            SELECT jsonb_object_agg(f.trigger, f.version)
            FROM (
                SELECT x.trigger, max(x.version) AS version
                FROM crm.opportunity_firing AS x
                WHERE x.account_id = o.account_id AND x.opportunity_id = o.opportunity_id
                GROUP BY x.trigger
            ) AS f
        ),
        '{}'
    ) AS fired
FROM crm.opportunity AS o
WHERE o.account_id = :account_id AND o.due AND o.looked_up
ORDER BY o.opportunity_id
LIMIT :limit
