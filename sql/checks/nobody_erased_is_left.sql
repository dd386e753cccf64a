-- The nightly scan found nobody who was erased, and it ran in the last two days.
-- Parameters: account_ids; freshness_minutes, which is of no matter.
SELECT
    a.account_id,
    coalesce(s.places = '{}', true)
    AND coalesce(greatest(e.since, s.scanned_at) > now() - interval '2 days', e.since IS NULL)
        AS passed,
    coalesce(cardinality(s.places), 0) AS places,
    coalesce(array_to_string(s.places, ', '), '') AS found_in,
    coalesce(
        extract(EPOCH FROM now() - s.scanned_at) / 3600, 0
    )::double precision AS hours_since_the_scan
FROM unnest(CAST(:account_ids AS text [])) AS a (account_id)
LEFT JOIN LATERAL (
    SELECT min(d.made_at) AS since
    FROM crm.erased AS d
    WHERE d.account_id = a.account_id AND d.verb = 'erase'
) AS e ON true
LEFT JOIN crm.erasure_scan AS s ON a.account_id = s.account_id
WHERE CAST(:freshness_minutes AS integer) IS NOT NULL
