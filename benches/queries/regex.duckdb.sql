SELECT count(*) AS events, min(url) AS first, max(url) AS last FROM events
WHERE regexp_matches(url, '^/(shop|market)/[0-9]+[?]page=(3|1[0-9])&')
