CREATE INDEX ON census (person_key)
