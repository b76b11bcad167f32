-- A word in texts.
SELECT type, count(*) AS events FROM events
WHERE message LIKE '%dragon%' OR message LIKE '%호수%' GROUP BY type ORDER BY type
