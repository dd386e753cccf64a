-- Those of some phone numbers that several people have: contacts of the org, or tracked leads.
SELECT w.phone
FROM (
    SELECT n.phone, 'org' AS where_seen, p.record_id AS who
    FROM unnest(CAST(:phones AS text [])) AS n (phone)
    INNER JOIN crm.opportunity_person AS p
        ON
            p.account_id = :account_id
            AND p.phones <> '{}'
            AND p.phones @> ARRAY[n.phone]
            AND NOT p.deleted
            AND p.became_contact IS NULL
    UNION ALL
    SELECT k.phone, 'org', k.salesforce_id
    FROM crm.org_phone AS k
    WHERE
        k.account_id = :account_id
        AND k.phone = any(CAST(:phones AS text []))
        AND k.salesforce_id LIKE '003%'
    UNION ALL
    SELECT t.phone, 'tracker', CAST(t.person_key AS text)
    FROM crm.tracked_lead AS t
    WHERE t.account_id = :account_id AND t.phone = any(CAST(:phones AS text []))
) AS w
GROUP BY w.phone, w.where_seen
HAVING count(DISTINCT w.who) > 1
