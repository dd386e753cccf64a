-- The records with some numbers, at most so many of each number.
SELECT n.phone, r.salesforce_id
FROM unnest(CAST(:phones AS text [])) AS n (phone)
CROSS JOIN LATERAL (
    SELECT p.salesforce_id
    FROM crm.org_phone AS p
    WHERE p.account_id = :account_id AND p.phone = n.phone
    ORDER BY p.salesforce_id
    LIMIT :at_most
) AS r
