-- What a plan comes to, a row for each operation, until its transaction ends.
CREATE TEMPORARY TABLE planned (
    operation_id bigint PRIMARY KEY,
    version integer NOT NULL,
    wanted bytea NOT NULL,
    kind text NOT NULL,
    about text NOT NULL,
    address text,
    sobject text NOT NULL,
    outcome text NOT NULL,
    salesforce_id text,
    fields jsonb,
    there jsonb,
    reason text,
    code text
) ON COMMIT DROP
