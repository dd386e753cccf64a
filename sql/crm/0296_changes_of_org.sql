-- That a person has an account go on in another org is a choice, too.
CREATE TRIGGER choice_changed AFTER UPDATE ON crm.account_org
FOR EACH ROW
WHEN (old.organization_id <> new.organization_id)
EXECUTE FUNCTION crm.choice_changed('org', '', 'organization_id');
