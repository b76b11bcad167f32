-- Users who searched, then put something into the cart, then bought.
WITH steps AS (
  SELECT user_id, min(CASE WHEN type = 'search' THEN event_time END) AS searched,
         min(CASE WHEN type = 'add_to_cart' THEN event_time END) AS added,
         max(CASE WHEN type = 'purchase' THEN event_time END) AS bought
  FROM events WHERE type IN ('search', 'add_to_cart', 'purchase') GROUP BY user_id)
SELECT count(*) AS users, count(searched) AS searched,
       sum(CASE WHEN added > searched THEN 1 ELSE 0 END) AS added,
       sum(CASE WHEN added > searched AND bought > added THEN 1 ELSE 0 END) AS bought
FROM steps
