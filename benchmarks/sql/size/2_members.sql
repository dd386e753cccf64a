-- Memberships of contacts, in ten campaigns.
INSERT INTO crm.campaign_member (
    account_id, campaign_key, person_key, campaign_id, person_id, member_id
)
SELECT %(account)s, 1 + n %% 10, n, '701' || n %% 10, '003' || n, '00v' || n
FROM generate_series(1, %(members)s::bigint) AS n
