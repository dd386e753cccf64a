-- Made of ../registrations.sql by `make extracts`: there it says what this is for, and
-- what it must give.
WITH changed AS (
    SELECT
        r.registration_id
    FROM warehouse.registration AS r
    WHERE
        r.client_id = :client_id AND r.shipped_at > CAST(:since AS TIMESTAMP)
    UNION DISTINCT
    SELECT
        r.registration_id
    FROM warehouse.person AS p
    INNER JOIN warehouse.registration AS r
        ON p.person_id = r.person_id
    WHERE
        p.client_id = :client_id AND p.shipped_at > CAST(:since AS TIMESTAMP)
    UNION DISTINCT
    SELECT
        r.registration_id
    FROM warehouse.event_session AS s
    INNER JOIN warehouse.registration AS r
        ON s.event_session_id = r.event_session_id
    WHERE
        s.client_id = :client_id AND s.shipped_at > CAST(:since AS TIMESTAMP)
    UNION DISTINCT
    SELECT
        r.registration_id
    FROM warehouse.event AS e
    INNER JOIN warehouse.event_session AS s
        ON e.event_id = s.event_id
    INNER JOIN warehouse.registration AS r
        ON s.event_session_id = r.event_session_id
    WHERE
        e.client_id = :client_id AND e.shipped_at > CAST(:since AS TIMESTAMP)
    UNION DISTINCT
    SELECT
        r.registration_id
    FROM warehouse.registration AS r
    WHERE
        r.client_id = :client_id
        AND r.event_session_id IN (SELECT CAST(each AS INT64) FROM UNNEST(JSON_VALUE_ARRAY(:backfilled)) AS each)
    UNION DISTINCT
    SELECT
        r.registration_id
    FROM warehouse.registration AS r
    WHERE
        r.client_id = :client_id
        AND r.registration_id IN (SELECT CAST(each AS INT64) FROM UNNEST(JSON_VALUE_ARRAY(:again)) AS each)
)
SELECT
    r.registration_id,
    r.event_session_id,
    s.title AS session_title,
    s.starts_at AS session_starts_at,
    s.ends_at AS session_ends_at,
    e.event_id,
    e.name AS event_name,
    r.status,
    r.role,
    r.cancelled_at,
    r.source,
    r.utm_source,
    r.utm_medium,
    r.utm_campaign,
    r.utm_term,
    r.utm_content,
    r.referrer,
    r.landing_page,
    r.answers,
    r.consent,
    r.consent_at,
    r.consent_text,
    r.replaced_by,
    r.join_link,
    r.registered_at,
    p.person_id,
    p.email,
    p.first_name,
    p.surname,
    p.title,
    p.job_title,
    p.company_name,
    p.address_1,
    p.address_2,
    p.address_3,
    p.city,
    p.county,
    p.postal_code,
    p.country_code,
    p.phone_1,
    CAST(COALESCE(CAST(UNIX_MICROS(r.shipped_at) AS NUMERIC) / 1000000, 0) + COALESCE(CAST(UNIX_MICROS(p.shipped_at) AS NUMERIC) / 1000000, 0) + COALESCE(CAST(UNIX_MICROS(s.shipped_at) AS NUMERIC) / 1000000, 0) + COALESCE(CAST(UNIX_MICROS(e.shipped_at) AS NUMERIC) / 1000000, 0) AS INT64) AS parts,
    (SELECT MAX(each) FROM UNNEST([r.shipped_at, p.shipped_at, s.shipped_at, e.shipped_at]) AS each) AS changed_at
FROM changed AS c
INNER JOIN warehouse.registration AS r
    ON c.registration_id = r.registration_id
INNER JOIN warehouse.person AS p
    ON r.person_id = p.person_id
INNER JOIN warehouse.event_session AS s
    ON r.event_session_id = s.event_session_id
INNER JOIN warehouse.event AS e
    ON s.event_id = e.event_id
WHERE
    r.client_id = :client_id
    AND (
        :sessions IS NULL
        OR r.event_session_id IN (SELECT CAST(each AS INT64) FROM UNNEST(JSON_VALUE_ARRAY(:sessions)) AS each)
    )
ORDER BY
    changed_at NULLS LAST,
    r.registration_id
