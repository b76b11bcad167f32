-- Queries.
CREATE TABLE t (id bigint, name string, Score double, At timestamp);
--> ok
INSERT INTO t VALUES (1, 'kim', 1.5, TIMESTAMP '2026-01-31 12:00:00'), (2, 'lee', 2.5, NULL), (3, '한글', NULL, NULL);
--> 3 rows
SELECT ID, "NAME", score FROM T ORDER BY id;
--> id bigint, name varchar, Score double
--> [1,"kim",1.5]
--> [2,"lee",2.5]
--> [3,"한글",null]
SELECT count(*), count(*) AS n, sum(score) FROM t;
--> _col0 bigint, n bigint, _col2 double
--> [3,3,4.0]
SELECT at, date_trunc('day', at) AS day FROM t WHERE id = 1;
--> At timestamp(6), day timestamp(6)
--> ["2026-01-31 12:00:00.000000","2026-01-31 00:00:00.000000"]
WITH top AS (SELECT max(score) AS best FROM t) SELECT name FROM t JOIN top ON score = best;
--> name varchar
--> ["lee"]
VALUES (1, 'a'), (2, 'b');
--> _col0 bigint, _col1 varchar
--> [1,"a"]
--> [2,"b"]
SELECT 1, 1;
--> _col0 bigint, _col1 bigint
--> [1,1]
SELECT NULL AS nothing, true AS yes, 1.0 / 3 AS third, X'ff' AS bytes, INTERVAL '1' DAY AS day;
--> nothing unknown, yes boolean, third double, bytes varbinary, day INTERVAL DAY TO SECOND
--> [null,true,0.3333333333333333,"/w==","1 00:00:00.000"]
SELECT d.id FROM default.t AS d WHERE d.name LIKE 'k%';
--> id bigint
--> [1]
SELECT id FROM t WHERE false;
--> id bigint
EXPLAIN (TYPE VALIDATE) SELECT id FROM t;
--> Valid varchar
--> ["true"]
EXPLAIN (FORMAT JSON) SELECT id FROM t;
--> NOT_SUPPORTED at 1:10: EXPLAIN (FORMAT JSON) is not supported
EXPLAIN SHOW TABLES;
--> NOT_SUPPORTED at 1:9: EXPLAIN of a statement that is not a query
EXPLAIN ANALYZE INSERT INTO t (id) VALUES (1);
--> NOT_SUPPORTED at 1:17: EXPLAIN ANALYZE of INSERT: it would insert the rows
SELECT 1 = 1.0, 1 = 1e0, count(*) FROM t;
--> _col0 boolean, _col1 boolean, _col2 bigint
--> [true,true,3]
SELECT id FROM "AwsDataCatalog"."default"."t" WHERE id = 1;
--> id bigint
--> [1]
SELECT id, at FROM t ORDER BY at DESC, id;
--> id bigint, At timestamp(6)
--> [1,"2026-01-31 12:00:00.000000"]
--> [2,null]
--> [3,null]
SELECT name FROM t UNION ALL SELECT 'x' ORDER BY 1 LIMIT 2;
--> name varchar
--> ["kim"]
--> ["lee"]
SELECT name, rank() OVER (ORDER BY id DESC) AS place FROM t ORDER BY place;
--> name varchar, place bigint
--> ["한글",1]
--> ["lee",2]
--> ["kim",3]
SELECT n FROM generate_series(1, 3) AS s(n);
--> n bigint
--> [1]
--> [2]
--> [3]
SELECT x FROM (VALUES 1) AS v(x);
--> SYNTAX_ERROR at 1:23: Expected: ), found: 1
