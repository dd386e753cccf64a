-- Of a conversion that was taken back ad platforms take no further one by the same order id: each time
-- that an opportunity is won has an order id of its own. And its time is that of the first of several
-- stages that are won.

DROP VIEW platform_inbox.ad_conversion;
DROP VIEW platform_inbox.ad_retraction;

CREATE VIEW crm.told_win AS
SELECT
    m.account_id,
    m.lead_id,
    m.opportunity_id,
    m.opportunity_id || CASE WHEN win.nth > 1 THEN '.' || win.nth ELSE '' END || '-' || m.lead_id AS order_id,
    win.version,
    win.as_of,
    win.body,
    win.won_since,
    win.ended_at
FROM crm.opportunity_match AS m
CROSS JOIN LATERAL (
    SELECT
        told.nth,
        max(told.version) FILTER (WHERE told.is_won) AS version,
        (array_agg(told.as_of ORDER BY told.version DESC) FILTER (WHERE told.is_won))[1] AS as_of,
        (array_agg(told.body ORDER BY told.version DESC) FILTER (WHERE told.is_won))[1] AS body,
        (array_agg(told.as_of ORDER BY told.version) FILTER (WHERE told.is_won))[1] AS won_since,
        (array_agg(told.as_of ORDER BY told.version) FILTER (WHERE NOT told.is_won))[1] AS ended_at
    FROM (
        SELECT
            step.*,
            count(*) FILTER (WHERE step.is_won AND NOT step.was_won) OVER (ORDER BY step.version) AS nth
        FROM (
            SELECT
                o.version,
                o.as_of,
                o.intent -> 'body' AS body,
                o.intent -> 'body' ->> 'standing' = 'won' AS is_won,
                lag(o.intent -> 'body' ->> 'standing' = 'won', 1, false) OVER (ORDER BY o.version) AS was_won
            FROM crm.operation AS o
            WHERE
                o.account_id = m.account_id
                AND o.natural_key
                = 'told:lead_values:lead:' || m.lead_id || ':opportunity:' || m.opportunity_id
                AND o.state = 'done'
        ) AS step
    ) AS told
    WHERE told.nth > 0
    GROUP BY told.nth
) AS win;

COMMENT ON VIEW crm.told_win
IS 'Each time that the platform was told of a lead''s opportunity as won: how it was told last in that '
   'time, and since when it is not won any more.';
COMMENT ON COLUMN crm.told_win.won_since IS 'When it was known as won.';
COMMENT ON COLUMN crm.told_win.ended_at IS 'NULL while it is won.';

CREATE VIEW platform_inbox.ad_conversion AS
SELECT
    a.account_id,
    a.client_id,
    t.lead_id,
    w.opportunity_id,
    w.order_id,
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
    coalesce(moved.at, w.won_since) AS converted_at,
    CAST(w.body ->> 'closed_amount' AS numeric) AS value,
    w.body ->> 'currency' AS currency,
    w.version,
    w.as_of
FROM crm.told_win AS w
INNER JOIN crm.account AS a ON w.account_id = a.account_id
INNER JOIN crm.opportunity_match AS m
    ON w.account_id = m.account_id AND w.opportunity_id = m.opportunity_id AND w.lead_id = m.lead_id
INNER JOIN crm.tracked_lead AS t ON w.account_id = t.account_id AND w.lead_id = t.lead_id
LEFT JOIN crm.person AS p ON t.person_key = p.person_key
CROSS JOIN LATERAL (
    SELECT lower(coalesce(t.email, CASE WHEN p.address NOT LIKE 'tel:%' THEN p.address END)) AS email
) AS e
CROSS JOIN LATERAL (SELECT split_part(substr(t.phone, 5), ';', 1) AS number) AS n
CROSS JOIN LATERAL (
    SELECT min(CAST(stage.move ->> 'at' AS timestamptz)) FILTER (WHERE stage.is_last_run) AS at
    FROM (
        SELECT
            each.move,
            bool_and(CAST(each.move ->> 'is_won' AS boolean)) OVER (ORDER BY each.nth DESC) AS is_last_run
        FROM jsonb_array_elements(w.body -> 'history') WITH ORDINALITY AS each (move, nth)
    ) AS stage
) AS moved
WHERE NOT m.withdrawn AND w.ended_at IS NULL;

COMMENT ON VIEW platform_inbox.ad_conversion
IS 'Won opportunities of tracked leads, as told, for the offline conversions of ad platforms: who gives '
   'one a row by its click id or by the SHA-256 (hex) of the address and the number. One that is lost '
   'after all, deleted or another lead''s now is not here any more, but in ad_retraction.';
COMMENT ON COLUMN platform_inbox.ad_conversion.order_id
IS 'Of one row only, and the same while it stays won: leads that share an opportunity have one each. One '
   'that is won again after it was lost is another conversion.';
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
IS 'When it was won: came into the first of the stages that are so; where the org shows no history, when '
   'that was seen.';
COMMENT ON COLUMN platform_inbox.ad_conversion.value IS 'The lead''s part, in `currency`.';
COMMENT ON COLUMN platform_inbox.ad_conversion.version
IS 'Grows where anything of it changes: with another value, restate the conversion.';
COMMENT ON COLUMN platform_inbox.ad_conversion.as_of IS 'Since when it stands so: the time of a restatement.';

CREATE VIEW platform_inbox.ad_retraction AS
SELECT
    a.account_id,
    a.client_id,
    w.lead_id,
    w.opportunity_id,
    w.order_id,
    w.ended_at AS retracted_at
FROM crm.told_win AS w
INNER JOIN crm.account AS a ON w.account_id = a.account_id
WHERE w.ended_at IS NOT NULL;

COMMENT ON VIEW platform_inbox.ad_retraction
IS 'Conversions that were told once and do not hold any more, by their order ids: retract those that were '
   'sent.';
