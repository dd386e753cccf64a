CREATE INDEX ON census (address)
