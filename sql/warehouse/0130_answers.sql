-- The way that led to a registration, the answers to the questions of its form, consent, and who came
-- in somebody's place.
ALTER TABLE warehouse.registration
ADD COLUMN utm_source text,
ADD COLUMN utm_medium text,
ADD COLUMN utm_campaign text,
ADD COLUMN utm_term text,
ADD COLUMN utm_content text,
ADD COLUMN referrer text,
ADD COLUMN landing_page text,
ADD COLUMN answers jsonb,
ADD COLUMN consent text,
ADD COLUMN consent_at timestamptz,
ADD COLUMN consent_text text,
ADD COLUMN replaced_by bigint;

COMMENT ON COLUMN warehouse.registration.answers IS 'Question''s key → the answer, a JSON object.';
COMMENT ON COLUMN warehouse.registration.replaced_by IS 'The registration that took its place.';
