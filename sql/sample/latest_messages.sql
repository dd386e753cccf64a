-- The latest chat messages, and the id that a further reply to each would have.
SELECT
    m.chat_message_id,
    m.client_id,
    coalesce(max(r.chat_reply_id), m.chat_message_id * 10) + 1 AS next_reply_id
FROM (
    SELECT
        chat_message_id,
        client_id
    FROM warehouse.chat_message
    ORDER BY chat_message_id DESC
    LIMIT 1000
) AS m
LEFT JOIN warehouse.chat_reply AS r ON m.chat_message_id = r.chat_message_id
GROUP BY m.chat_message_id, m.client_id
HAVING coalesce(max(r.chat_reply_id), 0) % 10 < 9
ORDER BY m.chat_message_id
