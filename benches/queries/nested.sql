-- Groups by nested fields, filtered by one.
SELECT geo['city'] AS city, device['os'] AS os, count(*) AS events, avg(duration_ms) AS duration_ms
FROM events WHERE geo['country'] = 'KR' GROUP BY 1, 2 ORDER BY 1, 2
