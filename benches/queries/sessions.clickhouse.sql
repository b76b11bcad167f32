WITH gaps AS (
  SELECT event_time, lagInFrame(toNullable(event_time)) OVER (PARTITION BY user_id ORDER BY event_time
    ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS before FROM events)
SELECT toStartOfDay(event_time) AS day,
       sum(CASE WHEN before IS NULL OR before < event_time - INTERVAL '30' MINUTE THEN 1 ELSE 0 END) AS sessions
FROM gaps GROUP BY 1 ORDER BY 1
