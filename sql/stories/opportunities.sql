-- Opportunities that are matched to leads of some people, or asked for: by which rule, or why none.
SELECT
    o.opportunity_id,
    o.name,
    o.stage,
    o.deleted,
    o.looked_at,
    o.waits_because,
    m.lead_id,
    m.rule,
    m.because,
    m.withdrawn,
    m.matched_at
FROM crm.opportunity AS o
LEFT JOIN crm.opportunity_match AS m
    ON o.account_id = m.account_id AND o.opportunity_id = m.opportunity_id
WHERE
    o.account_id = :account_id
    AND (
        'opportunity:' || o.opportunity_id = any(CAST(:natural_keys AS text []))
        OR m.lead_id IN (
            SELECT t.lead_id FROM crm.tracked_lead AS t
            WHERE
                t.account_id = :account_id
                AND t.person_key = any(CAST(:person_keys AS bigint []))
        )
    )
ORDER BY o.opportunity_id, m.matched_at
