-- Whether a hold of the account waits for a person, and for how long it has.
SELECT
    a.account_id,
    h.hold_id IS NULL AS passed,
    coalesce(extract(EPOCH FROM now() - h.held_at) / 60, 0)::double precision AS held_minutes,
    coalesce(h.hold_id, 0) AS hold_id
FROM crm.account AS a
LEFT JOIN crm.hold AS h ON a.account_id = h.account_id AND h.decision IS NULL
WHERE a.account_id = any(CAST(:account_ids AS text []))
