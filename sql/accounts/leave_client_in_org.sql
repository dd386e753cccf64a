-- Keeps that an account delivered its client to its org, before one of the two becomes another.
INSERT INTO crm.client_in_org (organization_id, client_id, account_id)
SELECT o.organization_id, o.client_id, o.account_id
FROM crm.account_org AS o
WHERE
    o.account_id = :account_id
    AND EXISTS (
        SELECT FROM crm.operation AS sent
        WHERE
            sent.account_id = o.account_id
            AND sent.sent_at > coalesce(
                (
                    SELECT max(before.left_at)
                    FROM crm.client_in_org AS before
                    WHERE before.account_id = o.account_id
                ),
                '-infinity'
            )
    )
ON CONFLICT (organization_id, client_id, account_id) DO UPDATE SET left_at = excluded.left_at
