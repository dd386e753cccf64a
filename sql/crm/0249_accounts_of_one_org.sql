-- A record of an org may stand for people of several accounts that work there.
CREATE VIEW crm.account_of_same_org AS
SELECT a.account_id, a.account_id AS same_org_id
FROM crm.account AS a
UNION
SELECT own.account_id, o.account_id
FROM crm.account_org AS own
INNER JOIN crm.account_org AS o ON own.organization_id = o.organization_id;

COMMENT ON VIEW crm.account_of_same_org
IS 'Each account, and with it (same_org_id) itself and the others of which the ledger is about the same org.';
