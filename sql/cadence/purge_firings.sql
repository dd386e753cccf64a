-- Some firings of opportunities that are older than these days.
DELETE FROM crm.opportunity_firing AS f
WHERE f.ctid = any(
    array(
        SELECT o.ctid
        FROM crm.opportunity_firing AS o
        WHERE o.fired_at < now() - make_interval(days => :days)
        LIMIT :limit
    )
)
