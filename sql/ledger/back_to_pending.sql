-- Makes operations pending that were not sent, or are to be sent anew: no attempt is counted.
-- Operations that a newer version has overtaken meanwhile are not sent any more; but a deletion is
-- seen to its end, as it may have been done.
UPDATE crm.operation AS o
SET
    state = CASE
        WHEN o.gone OR EXISTS (SELECT FROM crm.latest_version AS l WHERE l.operation_id = o.operation_id)
            THEN 'pending'
        ELSE 'superseded'
    END,
    -- Of an activity that was sought and is not there (take_for_sent) it is known by now.
    reason = CASE WHEN starts_with(o.reason, 'adopted') THEN 'sought in the org, not there' ELSE o.reason END
WHERE o.operation_id = any(CAST(:operation_ids AS bigint []))
