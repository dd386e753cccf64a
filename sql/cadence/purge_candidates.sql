-- Some candidates for people that were looked at before the last :days days.
DELETE FROM crm.candidate AS c
WHERE c.operation_id = any(
    array(
        SELECT o.operation_id
        FROM crm.candidate AS o
        WHERE o.looked_at < now() - make_interval(days => :days)
        LIMIT :limit
    )
)
