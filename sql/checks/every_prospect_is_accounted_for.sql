-- Of each prospect that was read something is wanted in the org: delivered, queued, or to be gone.
SELECT
    a.account_id,
    coalesce(count(p.prospect_id) FILTER (WHERE o.natural_key IS NULL AND NOT p.is_due), 0) = 0
        AS passed,
    count(p.prospect_id) AS prospects,
    count(p.prospect_id) FILTER (WHERE p.is_due) AS to_be_said,
    count(p.prospect_id) FILTER (WHERE o.natural_key IS NULL AND NOT p.is_due) AS unaccounted_for
FROM unnest(CAST(:account_ids AS text [])) AS a (account_id)
LEFT JOIN crm.prospect AS p ON a.account_id = p.account_id
LEFT JOIN LATERAL (
    SELECT w.natural_key
    FROM crm.operation AS w
    WHERE
        w.account_id = p.account_id
        AND w.natural_key = 'prospect:' || p.prospect_id
        AND w.state <> 'superseded'
    LIMIT 1
) AS o ON true
GROUP BY a.account_id
