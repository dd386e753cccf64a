-- The next opportunities to be matched. as_of grows with each time, whatever the clock does.
SELECT
    o.opportunity_id,
    o.record,
    o.history,
    o.amount,
    o.deleted,
    o.version,
    o.created_at,
    o.in_filter,
    o.told,
    greatest(now(), o.looked_at + interval '1 microsecond') AS as_of,
    o.fired
FROM crm.opportunity AS o
WHERE
    o.account_id = :account_id
    AND o.due
    AND NOT EXISTS (
        SELECT FROM crm.opportunity_question AS q
        WHERE
            q.account_id = o.account_id
            AND q.question = 'converted'
            AND q.record_id = o.opportunity_id
    )
ORDER BY o.opportunity_id
LIMIT :limit
