-- Makes operations pending that were not sent, or are to be sent anew: no attempt is counted.
-- Operations that a newer version has overtaken meanwhile are not sent any more; but a deletion is
-- seen to its end, as it may have been done.
UPDATE crm.operation AS o
SET
    state = CASE
        WHEN
            NOT o.gone
            AND EXISTS (
                SELECT FROM crm.operation AS newer
                WHERE
                    newer.account_id = o.account_id
                    AND newer.natural_key = o.natural_key
                    AND newer.version > o.version
                    AND newer.state NOT IN ('superseded', 'left_out', 'dropped')
            )
            THEN 'superseded'
        ELSE 'pending'
    END,
    -- Of an activity that was sought and is not there (take_for_sent) it is known by now.
    reason = nullif(o.reason, 'adopted')
WHERE o.operation_id = any(CAST(:operation_ids AS bigint []))
