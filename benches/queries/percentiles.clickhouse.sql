SELECT platform, quantileExactInclusive(0.5)(duration_ms) AS p50,
       quantileExactInclusive(0.95)(duration_ms) AS p95,
       quantileExactInclusive(0.99)(duration_ms) AS p99
FROM events GROUP BY platform ORDER BY platform
