-- Another account by which this client's webinars go to the same org, or went there before. One that
-- is no more, or is another client's by now, went there before; a person may have said that it does
-- not matter.
SELECT known.account_id, known.is_former
FROM (
    SELECT o.account_id, a.account_id IS NULL AS is_former, o.checked_at AS since
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
WHERE
    known.account_id <> :account_id
    AND NOT (
        known.is_former
        AND EXISTS (
            SELECT FROM crm.account_org AS own
            WHERE
                own.account_id = :account_id
                AND own.organization_id = :organization_id
                AND own.client_id = :client_id
                AND own.delivers_again
        )
    )
ORDER BY known.is_former, known.since
LIMIT 1
