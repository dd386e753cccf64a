-- Versions that no newer one has overtaken: of what is to be decided anew these are decided.
CREATE VIEW crm.latest_version AS
SELECT
    o.operation_id,
    o.account_id,
    o.natural_key,
    o.kind,
    o.state,
    o.intent,
    o.action,
    o.sobject,
    o.salesforce_id,
    o.sent
FROM crm.operation AS o
WHERE NOT EXISTS (
    SELECT FROM crm.operation AS newer
    WHERE
        newer.account_id = o.account_id
        AND newer.natural_key = o.natural_key
        AND newer.version > o.version
        AND newer.state <> 'superseded'
);

COMMENT ON VIEW crm.latest_version IS 'Operations without a newer version that counts.';
