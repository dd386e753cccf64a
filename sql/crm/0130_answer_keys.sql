-- The questions of registrations' forms, by the keys of their answers, of accounts that map answers: a
-- mapping of one that nobody was ever asked fills nothing, and is told.
CREATE TABLE crm.answer_key (
    account_id text NOT NULL REFERENCES crm.account ON DELETE CASCADE,
    question text NOT NULL,
    PRIMARY KEY (account_id, question)
);
