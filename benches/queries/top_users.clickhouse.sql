SELECT user_id, count(*) AS events, max(level) AS level
FROM events
WHERE event_time >= '2026-01-08 00:00:00' AND event_time < '2026-01-15 00:00:00'
GROUP BY user_id ORDER BY events DESC, user_id LIMIT 20
