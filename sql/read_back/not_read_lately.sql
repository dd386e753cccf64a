-- The accounts with an object of their org that was not read for so long, or never.
SELECT DISTINCT w.account_id
FROM unnest(CAST(:account_ids AS text []), CAST(:sobjects AS text [])) AS w (account_id, sobject)
LEFT JOIN crm.org_position AS p
    ON w.account_id = p.account_id AND w.sobject = p.sobject
WHERE p.read_at IS NULL OR p.read_at <= now() - make_interval(secs => :seconds)
