-- Whether a record was made by a sending without an answer is not known: a sending says of which operations that
-- is so, since one that was refused, and matched to another record then, is told apart by nothing else.
ALTER TABLE crm.sending ADD COLUMN unanswered bigint [];

COMMENT ON COLUMN crm.sending.unanswered
IS 'The operations of which no answer came; NULL: it is under way, or nobody has noted it.';
