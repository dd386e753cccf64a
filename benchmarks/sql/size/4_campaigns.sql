-- Each event has the campaign that it had.
INSERT INTO crm.event_campaign (account_id, campaign_key, campaign_id)
SELECT %(account)s, n, '701' || n %% 10
FROM generate_series(1, 10) AS n
