-- A join with the users.
SELECT plan, type, count(*) AS events, sum(amount) AS amount, avg(age) AS age
FROM events JOIN users ON events.user_id = users.user_id
WHERE age < 40 GROUP BY plan, type ORDER BY plan, type
