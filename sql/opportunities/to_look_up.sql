-- Records of the org to be read beside changes, by question: opportunities, named and unknown; leads
-- that became them or their contacts, and roles of opportunities, where these may be older than the
-- first reading, or are still being read; and whatever may have moved without a stamp. Whether an account
-- is a person, its opportunity says.
WITH asked AS MATERIALIZED (
    SELECT
        q.question,
        q.record_id,
        row_number() OVER (PARTITION BY q.question ORDER BY q.record_id) AS number
    FROM crm.opportunity_question AS q
    WHERE q.account_id = :account_id
)

SELECT a.question, a.record_id AS id
FROM asked AS a
WHERE a.number <= :limit
UNION ALL
SELECT 'roles', o.opportunity_id
FROM asked AS a
INNER JOIN crm.opportunity AS o ON o.account_id = :account_id AND a.record_id = o.opportunity_id
INNER JOIN crm.opportunity_reading AS r ON r.account_id = :account_id
WHERE
    a.question = 'converted'
    AND a.number <= :limit
    AND (
        o.created_at < r.begins_at
        OR EXISTS (
            SELECT FROM crm.org_position AS p
            WHERE
                p.account_id = :account_id
                AND p.sobject = 'OpportunityContactRole'
                AND p.cursor_id IS NOT NULL
        )
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
    SELECT
        CASE WHEN r.role_id = r.opportunity_id THEN 'opportunity' ELSE 'role' END,
        r.role_id
    FROM crm.opportunity_role AS r
    WHERE r.account_id = :account_id AND r.doubtful
    LIMIT :limit
)
