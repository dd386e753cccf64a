-- The registrations of a client of which anything was shipped after :since: the registration, its
-- person, its session or its event. Oldest shipping first.
--
-- A row is there once all that it is joined with is: what comes last brings it, so `changed_at` is
-- the latest shipping of them all.
--
-- Parameters: client_id; since; sessions: the event sessions to push, or NULL for all;
-- backfilled: those of them to be read whole, whatever :since says; again: ids of rows that are
-- to be read, too (row_counts.sql has found that nobody has read them).
-- The columns' names are the contract; with another schema, edit this statement and keep them.
-- Further columns may be added: an account's field mapping can name them. `parts` is a number that is
-- another one where anything was shipped anew, even before what was shipped last and so makes
-- `changed_at`: the seconds of all shippings, added up (row_counts.sql adds up alike).
-- NULL in registration_id, event_session_id, registered_at: that row is rejected, with this reason; so is
-- a time that Salesforce has not (infinity, years before 1700 or after 4000). NULL in email: "no
-- email". NULL in person_id: the address alone says who it is, and no change of it is followed.
-- NULL in changed_at, or a time to come: as if the row had changed when it is read. NULL in
-- event_id: no campaign has this row. Of these columns nothing is needed, and without one nothing
-- changes: session_starts_at, session_ends_at (after it, whoever has not come is a no-show);
-- cancelled_at; role (who is no attendee is not sent, unless the account wants it); utm_source and the
-- like; answers (a JSON object; `answers.<key>` can be mapped); consent, consent_at, consent_text;
-- join_link; replaced_by (the registration of whoever comes instead: this one is *substituted*).
WITH changed AS (
    SELECT r.registration_id
    FROM warehouse.registration AS r
    WHERE r.client_id = :client_id AND r.shipped_at > :since
    UNION
    SELECT r.registration_id
    FROM warehouse.person AS p
    INNER JOIN warehouse.registration AS r ON p.person_id = r.person_id
    WHERE p.client_id = :client_id AND p.shipped_at > :since
    UNION
    SELECT r.registration_id
    FROM warehouse.event_session AS s
    INNER JOIN warehouse.registration AS r ON s.event_session_id = r.event_session_id
    WHERE s.client_id = :client_id AND s.shipped_at > :since
    UNION
    SELECT r.registration_id
    FROM warehouse.event AS e
    INNER JOIN warehouse.event_session AS s ON e.event_id = s.event_id
    INNER JOIN warehouse.registration AS r ON s.event_session_id = r.event_session_id
    WHERE e.client_id = :client_id AND e.shipped_at > :since
    UNION
    SELECT r.registration_id
    FROM warehouse.registration AS r
    WHERE r.client_id = :client_id AND r.event_session_id = any(CAST(:backfilled AS bigint []))
    UNION
    SELECT r.registration_id
    FROM warehouse.registration AS r
    WHERE r.client_id = :client_id AND r.registration_id = any(CAST(:again AS bigint []))
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
    CAST(
        CASE
            WHEN isfinite(r.shipped_at)
                THEN CAST(extract(EPOCH FROM r.shipped_at) AS numeric (38, 6))
            ELSE 0
        END
        + CASE
            WHEN isfinite(p.shipped_at)
                THEN CAST(extract(EPOCH FROM p.shipped_at) AS numeric (38, 6))
            ELSE 0
        END
        + CASE
            WHEN isfinite(s.shipped_at)
                THEN CAST(extract(EPOCH FROM s.shipped_at) AS numeric (38, 6))
            ELSE 0
        END
        + CASE
            WHEN isfinite(e.shipped_at)
                THEN CAST(extract(EPOCH FROM e.shipped_at) AS numeric (38, 6))
            ELSE 0
        END
        AS bigint
    ) AS parts,
    greatest(r.shipped_at, p.shipped_at, s.shipped_at, e.shipped_at) AS changed_at
FROM changed AS c
INNER JOIN warehouse.registration AS r ON c.registration_id = r.registration_id
INNER JOIN warehouse.person AS p ON r.person_id = p.person_id
INNER JOIN warehouse.event_session AS s ON r.event_session_id = s.event_session_id
INNER JOIN warehouse.event AS e ON s.event_id = e.event_id
WHERE
    r.client_id = :client_id
    AND (
        CAST(:sessions AS bigint []) IS NULL
        OR r.event_session_id = any(CAST(:sessions AS bigint []))
    )
ORDER BY changed_at, r.registration_id
