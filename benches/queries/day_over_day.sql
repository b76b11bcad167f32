-- Each day of each type beside the day before.
WITH days AS (
  SELECT date_trunc('day', event_time) AS day, type, count(*) AS events, count(amount) AS paid FROM events GROUP BY 1, 2)
SELECT day, type, events, events - lag(events) OVER (PARTITION BY type ORDER BY day) AS more, paid
FROM days ORDER BY day, type
