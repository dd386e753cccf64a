-- Of an older copy of the ledger nobody knows which stages of memberships were told since: all that
-- are not told yet may have been.
INSERT INTO crm.external_activity (account_id, natural_key, stage, state)
SELECT DISTINCT
    o.account_id,
    o.natural_key,
    o.intent ->> 'stage',
    'sending'
FROM crm.external_activity_account AS a
INNER JOIN crm.operation AS o
    ON
        a.account_id = o.account_id
        AND o.kind = 'member'
        AND o.state IN ('pending', 'in_flight', 'failed', 'exhausted', 'done')
        AND (o.finished_at IS NULL OR o.finished_at >= a.since)
        AND NOT o.gone
        AND o.intent ->> 'stage' IS NOT NULL
WHERE a.account_id = :account_id
ON CONFLICT (account_id, natural_key, stage) DO NOTHING
