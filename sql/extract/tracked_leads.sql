-- The tracked leads of a client that were shipped after :since, oldest shipping first. Read only for
-- accounts that have attribution on: a warehouse without a tracker needs none of this.
--
-- Parameters: client_id; since.
-- The columns' names are the contract; with another schema, edit this statement and keep them.
-- Further columns may be added: an account's `further_fields` can name them.
-- NULL in lead_id, kind or happened_at: that row is rejected, with this reason. `kind` is one of
-- call, form, chat, text_message, appointment, transaction, email, event. `contact_name` is a whole
-- name; where the tracker has its parts, give first_name and last_name beside it, and they count.
-- `phone` is the number that the person gave, else the one that called.
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
WHERE t.client_id = :client_id AND t.shipped_at > :since
ORDER BY t.shipped_at, t.lead_id
