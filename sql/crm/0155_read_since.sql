-- From where an object's changes are read: an account that looks further back, or turns a flow on that does,
-- begins there anew.

ALTER TABLE crm.org_position ADD COLUMN read_since timestamptz;

UPDATE crm.org_position AS p
SET
    read_since = coalesce(
        (SELECT r.begins_at FROM crm.opportunity_reading AS r WHERE r.account_id = p.account_id),
        p.covered
    )
WHERE p.sobject IN ('Opportunity', 'OpportunityContactRole');

COMMENT ON COLUMN crm.org_position.read_since
IS 'All that changed since then is read, or is being read; NULL: from when this was not kept yet.';
