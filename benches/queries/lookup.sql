-- One event by its id, all of its columns that are not nested.
SELECT event_time, event_id, user_id, session_id, type, country, platform, duration_ms, level, premium, url, message
FROM events WHERE event_id = 'EVENT_ID'
