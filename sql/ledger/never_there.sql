-- Those of these natural keys of which the org has nothing: no version was sent, or all were refused.
SELECT k.natural_key
FROM unnest(CAST(:natural_keys AS text [])) AS k (natural_key)
WHERE
    NOT EXISTS (
        SELECT FROM crm.operation AS o
        WHERE
            o.account_id = :account_id
            AND o.natural_key = k.natural_key
            AND (
                o.state IN ('done', 'in_flight')
                OR (o.sent_at IS NOT NULL AND o.error_code IS NULL)
            )
    )
