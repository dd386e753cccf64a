-- New activities that wait are taken for sent, so that each is sought in the org before it goes: also
-- where it is otherwise there, as the source has changed it since. The ledger is not sure until then.
WITH unsure AS (
    UPDATE crm.ledger_mark
    SET unsure = true, adopts = true, written_by = pg_current_xact_id()::text::bigint
    WHERE account_id = :account_id
)

UPDATE crm.operation AS o
SET
    state = 'in_flight',
    sobject = 'Event',
    action = 'create',
    reason = 'adopted',
    sent_at = clock_timestamp() - interval '1 day'
WHERE
    o.account_id = :account_id
    AND o.kind = 'activity'
    AND o.state IN ('pending', 'failed', 'exhausted')
    AND (:all_of_them OR o.reason IS DISTINCT FROM 'sought in the org, not there')
    AND NOT o.gone
    AND NOT EXISTS (
        SELECT FROM crm.operation AS earlier
        WHERE
            earlier.account_id = o.account_id
            AND earlier.natural_key = o.natural_key
            AND earlier.version < o.version
            AND earlier.state IN ('done', 'in_flight')
    )
