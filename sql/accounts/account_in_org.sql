-- Another account by which this client's webinars go to the same org, or went there before.
SELECT known.account_id, known.is_former
FROM (
    SELECT o.account_id, false AS is_former, o.checked_at AS since
    FROM crm.account_org AS o
    LEFT JOIN crm.account AS a ON o.account_id = a.account_id
    WHERE
        o.organization_id = :organization_id
        AND coalesce(a.client_id, o.client_id) = :client_id
    UNION ALL
    SELECT account_id, true AS is_former, left_at AS since
    FROM crm.client_in_org
    WHERE organization_id = :organization_id AND client_id = :client_id
) AS known
WHERE known.account_id <> :account_id
ORDER BY known.is_former, known.since
LIMIT 1
