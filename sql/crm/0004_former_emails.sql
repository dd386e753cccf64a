-- A person who has another email address than before is found by the former one.

CREATE TABLE crm.former_email (
    account_id text NOT NULL,
    person_key text NOT NULL,
    former_key text NOT NULL,
    PRIMARY KEY (account_id, person_key)
);

CREATE INDEX person_email_by_key ON crm.person_email (account_id, person_key);
