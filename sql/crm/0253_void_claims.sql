-- Whether a claim on a person does not keep an account from creating them: its own, one of which
-- somebody made a record before it was looked up and not found (it is gone), and an old one whose
-- account works no more.
CREATE FUNCTION crm.is_void(
    claim crm.org_person, account_id text, looked_up_at timestamptz, grace_seconds double precision
) RETURNS boolean
VOLATILE LANGUAGE sql
RETURN
    claim.account_id = account_id
    OR claim.settled_at < looked_up_at
    OR (
        claim.settled_at IS NULL
        AND claim.claimed_at < clock_timestamp() - make_interval(secs => grace_seconds)
        AND NOT EXISTS (SELECT FROM crm.held_account AS h WHERE h.account_id = claim.account_id)
    );
