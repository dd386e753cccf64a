-- Opportunities that were matched before a role of theirs was read, or that belong to a lead by a
-- contact although no contact has a role in them any more; those that are due are looked at next.
SELECT
    a.account_id,
    count(o.opportunity_id) = 0 AS passed,
    count(o.opportunity_id) AS older_than_a_role
FROM unnest(CAST(:account_ids AS text [])) AS a (account_id)
LEFT JOIN crm.opportunity AS o
    ON
        a.account_id = o.account_id
        AND NOT o.due
        AND NOT o.deleted
        AND (
            EXISTS (
                SELECT FROM crm.opportunity_role AS r
                WHERE
                    r.account_id = o.account_id
                    AND r.opportunity_id = o.opportunity_id
                    AND r.read_at > o.looked_at
            )
            OR EXISTS (
                SELECT FROM crm.opportunity_match AS m
                WHERE
                    m.account_id = o.account_id
                    AND m.opportunity_id = o.opportunity_id
                    AND NOT m.withdrawn
                    AND m.rule NOT IN ('id_on_opportunity', 'converted_lead')
                    AND NOT EXISTS (
                        SELECT FROM crm.opportunity_role AS r
                        WHERE
                            r.account_id = m.account_id
                            AND r.opportunity_id = m.opportunity_id
                            AND NOT r.deleted
                    )
            )
        )
GROUP BY a.account_id
