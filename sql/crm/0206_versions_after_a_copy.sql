-- Whoever was told something by a ledger of which an older copy was restored has seen versions that
-- the copy does not know: what is told from then on needs higher ones, or it is passed over.
ALTER TABLE crm.ledger_mark ADD COLUMN versions_from integer NOT NULL DEFAULT 0;

COMMENT ON COLUMN crm.ledger_mark.versions_from
IS 'Versions of messages and of opportunities are above this, since the tables may be an older copy: '
'seconds from the beginning of 2020 to when that was noticed.';
