INSERT INTO crm.erasure_scan (account_id, scanned_at, places)
SELECT a.account_id, now(), coalesce(r.places, '{}')
FROM unnest(CAST(:account_ids AS text [])) AS a (account_id)
LEFT JOIN LATERAL (
    SELECT array_agg(f.place ORDER BY f.place) AS places
    FROM jsonb_to_recordset(CAST(:found AS jsonb)) AS f (account_id text, place text)
    WHERE f.account_id = a.account_id
) AS r ON true
ON CONFLICT (account_id) DO UPDATE
SET scanned_at = excluded.scanned_at, places = excluded.places
