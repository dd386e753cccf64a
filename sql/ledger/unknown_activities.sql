-- Activities of the org that no operation has made, as far as an older copy knew, and none has by now.
SELECT
    u.salesforce_id AS "Id",
    u.subject AS "Subject",
    u.happened_at AS "ActivityDateTime",
    u.is_deleted AS "IsDeleted"
FROM crm.unknown_activity AS u
WHERE
    u.account_id = :account_id
    AND NOT EXISTS (
        SELECT FROM crm.operation AS o
        WHERE o.kind = 'activity' AND o.salesforce_id = u.salesforce_id
    )
ORDER BY u.salesforce_id
