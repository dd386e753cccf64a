-- How an account stood before each of its cycles: a cycle of some steps that went well does not speak
-- for it.
CREATE VIEW crm.state_before AS
SELECT
    c.cycle_id,
    (
        SELECT b.state
        FROM crm.cycle AS b
        WHERE
            b.account_id = c.account_id
            AND b.cycle_id < c.cycle_id
            AND (b.whole OR b.state <> 'Complete')
        ORDER BY b.cycle_id DESC
        LIMIT 1
    ) AS state
FROM crm.cycle AS c;

COMMENT ON VIEW crm.state_before IS
'Of each cycle, how the last one before it ended that spoke for the account; NULL for the first one.';
