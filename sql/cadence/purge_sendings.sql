-- Some sendings that ended before the last :days days.
DELETE FROM crm.sending AS s
WHERE s.sending_id = any(
    array(
        SELECT o.sending_id
        FROM crm.sending AS o
        WHERE o.ended_at < now() - make_interval(days => :days)
        LIMIT :limit
    )
)
