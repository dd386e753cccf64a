-- The id of a message to the platform is made where messages are kept, so that those who are told by
-- tables are told by one statement.

CREATE FUNCTION crm.message_id(account_id text, topic text, about text, version bigint)
RETURNS uuid LANGUAGE sql STABLE AS $$
    SELECT CAST(overlay(overlay(left(d.digest, 32) PLACING '8' FROM 13) PLACING 'a' FROM 17) AS uuid)
    FROM (
        SELECT encode(sha256(convert_to(concat_ws(E'\n', account_id, topic, about, version), 'UTF8')), 'hex')
            AS digest
    ) AS d
$$;

COMMENT ON FUNCTION crm.message_id
IS 'The same for a version of what an account tells of a thing, however often it is sent (UUID, version 8).';
