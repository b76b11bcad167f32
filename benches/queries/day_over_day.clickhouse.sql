WITH days AS (
  SELECT toStartOfDay(event_time) AS day, type, toInt64(count(*)) AS events, count(amount) AS paid FROM events GROUP BY 1, 2)
SELECT day, type, events, events - lagInFrame(toNullable(events)) OVER (PARTITION BY type ORDER BY day
  ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS more, paid
FROM days ORDER BY day, type
