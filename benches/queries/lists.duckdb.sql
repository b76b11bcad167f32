WITH sold AS (SELECT unnest(items) AS item FROM events WHERE type = 'purchase')
SELECT item.sku AS sku, sum(item.qty) AS qty, sum(item.qty * item.price) AS price
FROM sold GROUP BY 1 ORDER BY qty DESC, sku LIMIT 20
