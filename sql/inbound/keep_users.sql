INSERT INTO crm.platform_user AS u (account_id, user_id, digest, columns, shipped_at)
SELECT DISTINCT ON (r.user_id)
    :account_id, r.user_id, decode(r.digest, 'hex'), r.columns, r.shipped_at
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (
    user_id text, digest text, columns jsonb, shipped_at timestamptz
)
ORDER BY r.user_id ASC, r.shipped_at DESC
ON CONFLICT (account_id, user_id) DO UPDATE
SET digest = excluded.digest, columns = excluded.columns, shipped_at = excluded.shipped_at
WHERE (u.digest, u.columns) IS DISTINCT FROM (excluded.digest, excluded.columns)
