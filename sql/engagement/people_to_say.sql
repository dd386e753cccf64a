-- Leads and Contacts of which something is to be said; where matches are events (:by_event), with
-- what was said of their fields last, and those that are filled.
SELECT
    e.salesforce_id,
    e.sobject,
    e.email,
    e.is_there,
    e.is_converted,
    e.is_engaged,
    e.columns,
    former.intent AS former,
    coalesce(former.version, 0) AS former_version,
    ARRAY(
        SELECT held.field
        FROM crm.record AS r
        CROSS JOIN LATERAL jsonb_each(r.last) AS held (field, value)
        WHERE
            :by_event
            AND r.account_id = e.account_id
            AND r.natural_key = 'engaged:' || e.salesforce_id
            AND held.value NOT IN ('null', 'false')
        ORDER BY held.field
    ) AS filled
FROM crm.engagement_person AS e
LEFT JOIN LATERAL (
    SELECT o.intent, o.version
    FROM crm.operation AS o
    WHERE
        :by_event
        AND o.account_id = e.account_id
        AND o.natural_key = 'engaged:' || e.salesforce_id
    ORDER BY o.version DESC
    LIMIT 1
) AS former ON true
WHERE e.account_id = :account_id AND e.is_due
ORDER BY e.salesforce_id
LIMIT :limit
