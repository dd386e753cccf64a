-- Records of the org to be read beside changes, by question: opportunities, named and unknown;
-- roles of opportunities and leads that became them or their contacts, which may be older than the first
-- reading; and whatever may have moved without a stamp.
(
    SELECT 'opportunity' AS question, w.opportunity_id AS id
    FROM crm.opportunity_wanted AS w
    WHERE w.account_id = :account_id
    LIMIT :limit
)
UNION ALL
(
    SELECT 'around', o.opportunity_id
    FROM crm.opportunity AS o
    WHERE o.account_id = :account_id AND NOT o.looked_up
    LIMIT :limit
)
UNION ALL
(
    SELECT 'became', p.record_id
    FROM crm.opportunity_person AS p
    WHERE p.account_id = :account_id AND NOT p.looked_up AND p.became_contact IS NULL
    LIMIT :limit
)
UNION ALL
(
    SELECT 'person', p.record_id
    FROM crm.opportunity_person AS p
    WHERE p.account_id = :account_id AND p.doubtful
    LIMIT :limit
)
UNION ALL
(
    SELECT 'role', r.role_id
    FROM crm.opportunity_role AS r
    WHERE r.account_id = :account_id AND r.doubtful
    LIMIT :limit
)
