-- Values longer than the org's fields, and new records without a value that the org requires, among
-- the newest 10,000 payloads that the last cycle read and sent. A member's intent names its event;
-- the campaign and the fields that went out are put together from it as they are for sending.
SELECT
    s.account_id,
    count(*) FILTER (WHERE wrong.too_long > 0 OR wrong.missing > 0) = 0 AS passed,
    count(sent.operation_id) AS payloads,
    coalesce(sum(wrong.too_long), 0)::bigint AS values_too_long,
    coalesce(sum(wrong.missing), 0)::bigint AS required_values_missing
FROM crm.sync_state AS s
LEFT JOIN LATERAL (
    SELECT
        o.operation_id,
        o.sobject,
        o.action,
        coalesce(
            o.sent,
            (o.intent -> 'fields') || jsonb_build_object(
                'CampaignId', c.campaign_id, 'Status', o.intent -> 'Status'
            ),
            o.intent -> o.sobject,
            o.intent
        ) AS payload
    FROM crm.operation AS o
    LEFT JOIN crm.event_campaign AS c
        ON
            o.kind = 'member'
            AND o.account_id = c.account_id
            AND crm.campaign_key(o.intent) = c.campaign_key
    WHERE o.read_by = s.cycle_id AND o.state = 'done' AND o.sobject IS NOT NULL
    ORDER BY o.operation_id DESC
    LIMIT 10000
) AS sent ON true
LEFT JOIN LATERAL (
    SELECT
        count(*) FILTER (
            WHERE
                coalesce((f.described ->> 'length')::integer, 0) > 0
                AND char_length(sent.payload ->> (f.described ->> 'name'))
                > (f.described ->> 'length')::integer
        ) AS too_long,
        count(*) FILTER (
            WHERE
                sent.action = 'create'
                AND f.described ->> 'createable' = 'true'
                AND f.described ->> 'nillable' = 'false'
                AND coalesce(f.described ->> 'defaulted', 'false') = 'false'
                AND coalesce(btrim(sent.payload ->> (f.described ->> 'name')), '') = ''
        ) AS missing
    FROM crm.sobject_schema AS d
    CROSS JOIN LATERAL jsonb_array_elements(d.schema -> 'fields') AS f (described)
    WHERE d.account_id = s.account_id AND d.sobject = sent.sobject
) AS wrong ON true
WHERE s.account_id = any(CAST(:account_ids AS text []))
GROUP BY s.account_id
