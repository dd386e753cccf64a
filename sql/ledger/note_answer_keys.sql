INSERT INTO crm.answer_key (account_id, question)
SELECT
    :account_id,
    asked.question
FROM unnest(CAST(:questions AS text [])) AS asked (question)
ON CONFLICT DO NOTHING
