-- Conversions of leads were last looked for long ago.
INSERT INTO crm.campaign_mapping (account_id, fingerprint, conversions_seen_at)
VALUES (%(account)s, '', now() - interval '30 days')
