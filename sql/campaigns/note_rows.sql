-- These rows of the source tell of these memberships from now on.
INSERT INTO crm.member_row (account_id, source_row, natural_key)
SELECT :account_id, r.source_row, r.natural_key
FROM unnest(CAST(:source_rows AS text []), CAST(:natural_keys AS text [])) AS r (source_row, natural_key)
ON CONFLICT (account_id, source_row) DO UPDATE SET natural_key = excluded.natural_key
