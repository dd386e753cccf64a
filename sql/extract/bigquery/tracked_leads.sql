-- Made of ../tracked_leads.sql by `make extracts`: there it says what this is for, and
-- what it must give.
SELECT
    t.lead_id,
    t.kind,
    t.happened_at,
    t.is_spam,
    t.is_duplicate,
    t.contact_name,
    t.company_name,
    t.email,
    t.phone,
    t.city,
    t.county,
    t.postal_code,
    t.country_code,
    t.message,
    t.duration_seconds,
    t.recording_url,
    t.source,
    t.medium,
    t.campaign,
    t.keyword,
    t.content,
    t.landing_page,
    t.referrer,
    t.gclid,
    t.gbraid,
    t.wbraid,
    t.fbclid,
    t.shipped_at AS changed_at
FROM warehouse.tracked_lead AS t
WHERE
    t.client_id = :client_id AND t.shipped_at > CAST(:since AS TIMESTAMP)
ORDER BY
    t.shipped_at,
    t.lead_id
