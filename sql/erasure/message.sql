DELETE FROM platform_inbox.message AS m
WHERE
    m.account_id = :account_id
    AND (
        'told:' || m.topic || ':' || m.about = any(CAST(:natural_keys AS text []))
        OR EXISTS (
            SELECT FROM unnest(CAST(:addresses AS text [])) AS a
            WHERE position(a IN lower(CAST(m.body AS text))) > 0
        )
    )
