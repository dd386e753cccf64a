-- Supersedes operations that still wait and now have a newer version; but a deletion that was sent
-- once stays, as it may have been done.
UPDATE crm.operation AS o
SET state = 'superseded', reason_code = NULL, finished_at = now()
FROM staged_intent AS s
WHERE
    o.account_id = :account_id
    AND o.natural_key = s.natural_key
    AND o.state IN ('pending', 'failed', 'exhausted', 'rejected', 'left_out')
    AND (
        o.content_hash <> s.content_hash
        OR (s.rejected_because IS NULL AND o.person_key IS DISTINCT FROM s.person_key)
    )
    AND (o.as_of <= s.as_of OR coalesce(o.memory ? 'vanished', false))
    AND NOT (o.gone AND o.sent_at IS NOT NULL)
