-- What each user did last.
WITH numbered AS (
  SELECT type, platform, row_number() OVER (PARTITION BY user_id ORDER BY event_time DESC, event_id) AS number FROM events)
SELECT type, platform, count(*) AS users FROM numbered WHERE number = 1 GROUP BY 1, 2 ORDER BY 1, 2
