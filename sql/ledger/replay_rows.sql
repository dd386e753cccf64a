-- These rows of a source are to be read again by a flow.
INSERT INTO crm.replay_row (account_id, flow, source, row_id)
SELECT :account_id, :flow, :source, r.row_id
FROM unnest(CAST(:row_ids AS bigint [])) AS r (row_id)
ON CONFLICT DO NOTHING
