-- A flow has recorded what these rows say that it was to read again.
DELETE FROM crm.replay_row AS r
USING unnest(CAST(:sources AS text []), CAST(:row_ids AS bigint [])) AS t (source, row_id)
WHERE r.account_id = :account_id AND r.flow = :flow AND r.source = t.source AND r.row_id = t.row_id
