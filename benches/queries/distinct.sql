-- Exact distinct counts of a number and of a text.
SELECT type, count(DISTINCT user_id) AS users, count(DISTINCT session_id) AS sessions
FROM events GROUP BY type ORDER BY type
