-- What cycles of an account made of each operation, from this one on: of those that they read or sent,
-- and of all that are open.
INSERT INTO planned (
    operation_id, version, wanted, kind, about, address, sobject, outcome, salesforce_id, fields, reason, code
)
SELECT
    o.operation_id,
    o.version,
    crm.plan_wanted(o.intent),
    o.kind,
    crm.plan_about(o.kind, o.natural_key, p.address),
    p.address,
    coalesce(
        o.sobject,
        o.intent ->> 'sobject',
        CASE o.kind
            WHEN 'person' THEN 'Lead'
            WHEN 'activity' THEN 'Event'
            WHEN 'campaign' THEN 'Campaign'
            WHEN 'member' THEN 'CampaignMember'
            ELSE o.kind
        END
    ),
    w.outcome,
    CASE WHEN o.state = 'done' THEN o.salesforce_id END,
    CASE
        WHEN w.outcome IN ('create', 'update')
            THEN coalesce(o.sent, o.intent -> o.sobject, o.intent)
    END,
    coalesce(o.error_message, o.reason),
    coalesce(o.error_code, o.reason_code)
FROM crm.operation AS o
LEFT JOIN crm.person AS p ON o.person_key = p.person_key
CROSS JOIN LATERAL (
    SELECT
        CASE
            WHEN o.state = 'done' AND o.action = 'none' THEN 'unchanged'
            WHEN o.state = 'done' THEN o.action
            WHEN o.state = 'left_out' THEN 'left out'
            WHEN o.state IN ('failed', 'exhausted') AND o.error_code = 'SEVERAL_MATCHES'
                THEN 'ambiguous'
            WHEN o.state IN ('failed', 'exhausted') THEN 'refused'
            WHEN o.state IN ('pending', 'in_flight') THEN 'waiting'
            ELSE o.state
        END AS outcome
) AS w
WHERE
    o.account_id = :account_id
    AND o.kind <> 'message'
    AND (
        o.state IN ('pending', 'held', 'in_flight', 'failed', 'exhausted')
        OR (o.state = 'done' AND o.sent_by >= :cycle_id)
        OR (o.state IN ('left_out', 'rejected') AND o.read_by >= :cycle_id)
    )
