-- Some refusals that are older than these days.
DELETE FROM crm.refusal AS r
WHERE r.refusal_id = any(
    array(
        SELECT o.refusal_id
        FROM crm.refusal AS o
        WHERE o.refused_at < now() - make_interval(days => :days)
        LIMIT :limit
    )
)
