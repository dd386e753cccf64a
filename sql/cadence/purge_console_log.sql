-- Some lines of the console's log that are older than these days; the oldest come first in its key.
DELETE FROM crm.console_log AS l
WHERE l.log_id = any(
    array(
        SELECT o.log_id
        FROM crm.console_log AS o
        WHERE o.noted_at < now() - make_interval(days => :days)
        ORDER BY o.log_id
        LIMIT :limit
    )
)
