-- Conversions as each ad platform wants them, each with an order id of its own; and those to be taken
-- back. Google: of Gmail's addresses without full stops and what follows a plus; numbers with their
-- plus. Meta: addresses as they are in lower case; numbers as digits.

DROP VIEW platform_inbox.ad_conversion;

CREATE VIEW platform_inbox.ad_conversion AS
SELECT
    a.account_id,
    a.client_id,
    t.lead_id,
    m.opportunity_id,
    m.opportunity_id || '-' || m.lead_id AS order_id,
    t.columns ->> 'gclid' AS gclid,
    t.columns ->> 'gbraid' AS gbraid,
    t.columns ->> 'wbraid' AS wbraid,
    t.columns ->> 'fbclid' AS fbclid,
    'fb.1.' || CAST(extract(EPOCH FROM t.happened_at) * 1000 AS bigint) || '.' || (t.columns ->> 'fbclid')
        AS fbc,
    encode(sha256(convert_to(
        CASE
            WHEN split_part(e.email, '@', 2) IN ('gmail.com', 'googlemail.com')
                THEN replace(split_part(split_part(e.email, '@', 1), '+', 1), '.', '') || '@'
                    || split_part(e.email, '@', 2)
            ELSE e.email
        END, 'UTF8'
    )), 'hex') AS hashed_email,
    encode(sha256(convert_to(n.number, 'UTF8')), 'hex') AS hashed_phone,
    encode(sha256(convert_to(e.email, 'UTF8')), 'hex') AS hashed_email_for_meta,
    encode(sha256(convert_to(ltrim(n.number, '+'), 'UTF8')), 'hex') AS hashed_phone_for_meta,
    coalesce(CAST(told.body -> 'history' -> -1 ->> 'at' AS timestamptz), told.as_of) AS converted_at,
    CAST(told.body ->> 'closed_amount' AS numeric) AS value,
    told.body ->> 'currency' AS currency,
    told.version,
    told.as_of
FROM crm.opportunity_match AS m
INNER JOIN crm.account AS a ON m.account_id = a.account_id
INNER JOIN crm.tracked_lead AS t ON m.account_id = t.account_id AND m.lead_id = t.lead_id
LEFT JOIN crm.person AS p ON t.person_key = p.person_key
CROSS JOIN LATERAL (
    SELECT coalesce(t.email, CASE WHEN p.address NOT LIKE 'tel:%' THEN p.address END) AS email
) AS e
CROSS JOIN LATERAL (SELECT split_part(substr(t.phone, 5), ';', 1) AS number) AS n
CROSS JOIN LATERAL (
    SELECT o.intent -> 'body' AS body, o.version, o.as_of
    FROM crm.operation AS o
    WHERE
        o.account_id = m.account_id
        AND o.natural_key
        = 'told:lead_values:lead:' || m.lead_id || ':opportunity:' || m.opportunity_id
        AND o.state = 'done'
    ORDER BY o.version DESC
    LIMIT 1
) AS told
WHERE NOT m.withdrawn AND told.body ->> 'standing' = 'won';

COMMENT ON VIEW platform_inbox.ad_conversion
IS 'Won opportunities of tracked leads, as told, for the offline conversions of ad platforms: who gives '
   'one a row by its click id or by the SHA-256 (hex) of the address and the number. One that is lost '
   'after all, deleted or another lead''s now is not here any more, but in ad_retraction.';
COMMENT ON COLUMN platform_inbox.ad_conversion.order_id
IS 'The same for ever, and of one row only: leads that share an opportunity have one each.';
COMMENT ON COLUMN platform_inbox.ad_conversion.fbc
IS 'The click id as Meta takes it, with the time of the lead.';
COMMENT ON COLUMN platform_inbox.ad_conversion.hashed_email
IS 'For Google: of the address in lower case, without blanks; of Gmail''s without full stops before the '
   '@ and without what follows a plus.';
COMMENT ON COLUMN platform_inbox.ad_conversion.hashed_phone
IS 'For Google: of the number in E.164, with its +.';
COMMENT ON COLUMN platform_inbox.ad_conversion.hashed_email_for_meta
IS 'For Meta: of the address in lower case, without blanks.';
COMMENT ON COLUMN platform_inbox.ad_conversion.hashed_phone_for_meta
IS 'For Meta: of the digits of the number with its country code.';
COMMENT ON COLUMN platform_inbox.ad_conversion.converted_at
IS 'When it came into the stage that is won; where the org shows no history, when that was seen.';
COMMENT ON COLUMN platform_inbox.ad_conversion.value IS 'The lead''s part, in `currency`.';
COMMENT ON COLUMN platform_inbox.ad_conversion.version
IS 'Grows where anything of it changes: with another value, restate the conversion.';
COMMENT ON COLUMN platform_inbox.ad_conversion.as_of IS 'Since when it stands so: the time of a restatement.';

CREATE VIEW platform_inbox.ad_retraction AS
SELECT
    a.account_id,
    a.client_id,
    m.lead_id,
    m.opportunity_id,
    m.opportunity_id || '-' || m.lead_id AS order_id,
    told.as_of AS retracted_at
FROM crm.opportunity_match AS m
INNER JOIN crm.account AS a ON m.account_id = a.account_id
CROSS JOIN LATERAL (
    SELECT o.natural_key, o.intent -> 'body' ->> 'standing' AS standing, o.version, o.as_of
    FROM crm.operation AS o
    WHERE
        o.account_id = m.account_id
        AND o.natural_key
        = 'told:lead_values:lead:' || m.lead_id || ':opportunity:' || m.opportunity_id
        AND o.state = 'done'
    ORDER BY o.version DESC
    LIMIT 1
) AS told
WHERE
    told.standing <> 'won'
    AND EXISTS (
        SELECT FROM crm.operation AS b
        WHERE
            b.account_id = m.account_id
            AND b.natural_key = told.natural_key
            AND b.state = 'done'
            AND b.version < told.version
            AND b.intent -> 'body' ->> 'standing' = 'won'
    );

COMMENT ON VIEW platform_inbox.ad_retraction
IS 'Conversions that were told once and do not hold any more, by their order ids: retract those that were '
   'sent.';
