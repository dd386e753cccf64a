-- A period may be replayed for some kinds of operations alone.
ALTER TABLE crm.replay_row ADD COLUMN kinds text [];

COMMENT ON COLUMN crm.replay_row.kinds
IS 'The kinds of operations that are said again; NULL: all that the flow wants of the row.';
