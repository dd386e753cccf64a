-- A new account is a draft, without cycles, until a person says go.

ALTER TABLE crm.account ADD COLUMN activated_at timestamptz DEFAULT now();
UPDATE crm.account SET activated_at = created_at;
ALTER TABLE crm.account ADD CHECK (activated_at IS NOT NULL OR NOT enabled);

COMMENT ON COLUMN crm.account.activated_at
IS 'When a person let the account''s cycles begin; NULL: it is a draft.';
