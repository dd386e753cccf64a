-- Made of ../registrations.sql by `make extracts`: there it says what this is for, and
-- what it must give.
WITH changed AS (
    SELECT
        r.registration_id
    FROM warehouse.registration AS r
    WHERE
        r.client_id = :client_id AND r.shipped_at > CAST(:since AS DATETIMEOFFSET)
    UNION
    SELECT
        r.registration_id
    FROM warehouse.person AS p
    INNER JOIN warehouse.registration AS r
        ON p.person_id = r.person_id
    WHERE
        p.client_id = :client_id AND p.shipped_at > CAST(:since AS DATETIMEOFFSET)
    UNION
    SELECT
        r.registration_id
    FROM warehouse.event_session AS s
    INNER JOIN warehouse.registration AS r
        ON s.event_session_id = r.event_session_id
    WHERE
        s.client_id = :client_id AND s.shipped_at > CAST(:since AS DATETIMEOFFSET)
    UNION
    SELECT
        r.registration_id
    FROM warehouse.event AS e
    INNER JOIN warehouse.event_session AS s
        ON e.event_id = s.event_id
    INNER JOIN warehouse.registration AS r
        ON s.event_session_id = r.event_session_id
    WHERE
        e.client_id = :client_id AND e.shipped_at > CAST(:since AS DATETIMEOFFSET)
    UNION
    SELECT
        r.registration_id
    FROM warehouse.registration AS r
    WHERE
        r.client_id = :client_id
        AND r.event_session_id IN (SELECT f.value FROM OPENJSON(:backfilled) WITH (value BIGINT '$') AS f)
    UNION
    SELECT
        r.registration_id
    FROM warehouse.registration AS r
    WHERE
        r.client_id = :client_id
        AND r.registration_id IN (SELECT f.value FROM OPENJSON(:again) WITH (value BIGINT '$') AS f)
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
    CAST(COALESCE(
        CAST(DATEDIFF_BIG(MICROSECOND, CAST('1970-01-01T00:00:00+00:00' AS DATETIMEOFFSET), r.shipped_at) AS DECIMAL(20, 0)) * 0.000001,
        0
    ) + COALESCE(
        CAST(DATEDIFF_BIG(MICROSECOND, CAST('1970-01-01T00:00:00+00:00' AS DATETIMEOFFSET), p.shipped_at) AS DECIMAL(20, 0)) * 0.000001,
        0
    ) + COALESCE(
        CAST(DATEDIFF_BIG(MICROSECOND, CAST('1970-01-01T00:00:00+00:00' AS DATETIMEOFFSET), s.shipped_at) AS DECIMAL(20, 0)) * 0.000001,
        0
    ) + COALESCE(
        CAST(DATEDIFF_BIG(MICROSECOND, CAST('1970-01-01T00:00:00+00:00' AS DATETIMEOFFSET), e.shipped_at) AS DECIMAL(20, 0)) * 0.000001,
        0
    ) AS BIGINT) AS parts,
    GREATEST(r.shipped_at, p.shipped_at, s.shipped_at, e.shipped_at) AS changed_at
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
        CAST(:sessions AS NVARCHAR(4000)) IS NULL
        OR r.event_session_id IN (SELECT f.value FROM OPENJSON(:sessions) WITH (value BIGINT '$') AS f)
    )
ORDER BY
    CASE WHEN GREATEST(r.shipped_at, p.shipped_at, s.shipped_at, e.shipped_at) IS NULL THEN 1 ELSE 0 END, GREATEST(r.shipped_at, p.shipped_at, s.shipped_at, e.shipped_at),
    r.registration_id
