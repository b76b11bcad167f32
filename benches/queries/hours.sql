-- Counts by hour over the whole month.
SELECT date_trunc('hour', event_time) AS hour, count(*) AS events, sum(duration_ms) AS duration_ms
FROM events GROUP BY 1 ORDER BY 1
