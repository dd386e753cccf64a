-- What people have looked at and done in the console, newest first; about one person, of one user.
SELECT log_id, noted_at, who, role, action, account_id, people, detail
FROM crm.console_log
WHERE
    (CAST(:after AS bigint) IS NULL OR log_id < :after)
    AND (CAST(:person AS bigint) IS NULL OR people @> ARRAY[CAST(:person AS bigint)])
    AND (CAST(:who AS text) IS NULL OR who = :who)
ORDER BY log_id DESC
LIMIT :limit
