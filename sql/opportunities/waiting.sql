-- The opportunities that have no match yet, by reason, the newest of each first.
SELECT
    o.waits_because,
    count(*) AS opportunities,
    (array_agg(o.opportunity_id ORDER BY o.created_at DESC))[1:5] AS some
FROM crm.opportunity AS o
WHERE o.account_id = :account_id AND o.waits_because IS NOT NULL
GROUP BY o.waits_because
ORDER BY count(*) DESC, o.waits_because
