-- Prospects of which something is to be said, with what became of their Leads and Contacts: the
-- tries of either side, whether something waits, and whether something was given up.
SELECT
    p.prospect_id,
    p.as_of,
    p.email,
    p.is_active,
    p.is_gone,
    p.is_due,
    p.columns,
    p.tags,
    p.scores,
    people.lead_attempts,
    people.contact_attempts,
    people.is_waiting OR coalesce(p.is_active AND NOT p.is_gone AND NOT a.is_sought, false)
        AS is_waiting,
    people.has_given_up
FROM (
    SELECT *
    FROM crm.prospect AS every
    WHERE
        every.account_id = :account_id
        AND (every.is_due OR every.is_open)
        AND every.prospect_id > :after
    ORDER BY every.prospect_id
    LIMIT :limit
) AS p
LEFT JOIN LATERAL (
    SELECT s.is_sought
    FROM crm.engagement_address AS s
    WHERE s.account_id = p.account_id AND s.email = p.email
    -- One by one: without statistics the planner would compare each with all that there are.
    OFFSET 0
) AS a ON true
CROSS JOIN LATERAL (
    SELECT
        coalesce(max(o.tries) FILTER (WHERE e.sobject = 'Lead'), 0) AS lead_attempts,
        coalesce(max(o.tries) FILTER (WHERE e.sobject = 'Contact'), 0) AS contact_attempts,
        coalesce(
            bool_or(
                e.is_due OR NOT e.is_engaged OR o.state IN ('pending', 'in_flight', 'failed')
            ),
            false
        ) AS is_waiting,
        coalesce(bool_or(o.state IN ('exhausted', 'rejected')), false) AS has_given_up
    FROM crm.engagement_person AS e
    LEFT JOIN LATERAL (
        SELECT
            w.state,
            w.attempts - w.attempts_left AS tries
        FROM crm.operation AS w
        WHERE w.account_id = e.account_id AND w.natural_key = 'engaged:' || e.salesforce_id
        ORDER BY w.version DESC
        LIMIT 1
    ) AS o ON true
    WHERE
        e.account_id = p.account_id
        AND e.email = p.email
        AND e.is_there
        AND NOT e.is_converted
        AND p.is_active
        AND NOT p.is_gone
) AS people
ORDER BY p.prospect_id
