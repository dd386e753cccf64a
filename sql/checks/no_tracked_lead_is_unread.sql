-- The last daily count of each account's tracked leads: whether any was not read (it was then), or
-- cannot be, since it has no time of shipping.
SELECT
    a.account_id,
    coalesce(c.found_unread + c.without_time, 0) = 0 AS passed,
    coalesce(c.leads, 0) AS leads_counted,
    coalesce(c.found_unread, 0) AS leads_found_unread,
    coalesce(c.still_unread, 0) AS leads_still_unread,
    coalesce(c.without_time, 0) AS leads_without_a_time_of_shipping,
    coalesce(c.vanished, 0) AS leads_vanished_from_the_warehouse,
    coalesce(extract(EPOCH FROM now() - c.counted_at) / 3600, 0)::double precision
        AS hours_since_the_count
FROM unnest(CAST(:account_ids AS text [])) AS a (account_id)
LEFT JOIN crm.lead_count AS c ON a.account_id = c.account_id
