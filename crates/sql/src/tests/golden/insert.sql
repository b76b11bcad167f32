-- Rows added by statements.
CREATE TABLE t (a int, b string, c double);
--> ok
INSERT INTO t VALUES (1, 'x', 1.5), (2, NULL, 2);
--> 2 rows
INSERT INTO t (C, a) VALUES (0.25, 3);
--> 1 rows
INSERT INTO t SELECT a + 10, b, c * 1.5 FROM t;
--> 3 rows
INSERT INTO t (a) SELECT a + CAST(c AS bigint) FROM t WHERE a = 1;
--> TYPE_MISMATCH at 1:19: Insert query has mismatched column types: column 'a' is integer, and the query gives bigint. Table: [integer], Query: [bigint]
INSERT INTO t (a) SELECT a FROM (SELECT 2000000000 + a AS a FROM t WHERE a = 3) AS big;
--> 1 rows
INSERT INTO t (a) SELECT a * 2000000000 FROM t WHERE a = 11;
--> NUMERIC_VALUE_OUT_OF_RANGE at 1:1: Can't cast value 22000000000 to type Int32
-- The engine's sum of integers is a bigint, and so is Trino's.
INSERT INTO t (a) SELECT sum(a) FROM t;
--> TYPE_MISMATCH at 1:19: Insert query has mismatched column types: column 'a' is integer, and the query gives bigint. Table: [integer], Query: [bigint]
SELECT * FROM t ORDER BY a;
--> a integer, b varchar, c double
--> [1,"x",1.5]
--> [2,null,2.0]
--> [3,null,0.25]
--> [11,"x",2.25]
--> [12,null,3.0]
--> [13,null,0.375]
--> [2000000003,null,null]
INSERT INTO t SELECT * FROM t WHERE a > 100;
--> 1 rows
SELECT count(*) FROM t;
--> _col0 bigint
--> [8]

-- What does not fit.
INSERT INTO t VALUES (1, 'x');
--> TYPE_MISMATCH at 1:15: Insert query has mismatched column types: 3 columns are to be filled, and the query has 2. Table: [integer, varchar, double], Query: [bigint, varchar]
INSERT INTO t (a, b) VALUES (1, 'x', 2);
--> TYPE_MISMATCH at 1:22: Insert query has mismatched column types: 2 columns are to be filled, and the query has 3. Table: [integer, varchar], Query: [bigint, varchar, bigint]
INSERT INTO t VALUES ('1', 'x', 1.5);
--> TYPE_MISMATCH at 1:15: Insert query has mismatched column types: column 'a' is integer, and the query gives varchar. Table: [integer, varchar, double], Query: [varchar, varchar, double]
INSERT INTO t VALUES (1, 2, 1.5);
--> TYPE_MISMATCH at 1:15: Insert query has mismatched column types: column 'b' is varchar, and the query gives bigint. Table: [integer, varchar, double], Query: [bigint, bigint, double]
INSERT INTO t VALUES (3000000000, 'x', 1.5);
--> NUMERIC_VALUE_OUT_OF_RANGE at 1:1: Can't cast value 3000000000 to type Int32
INSERT INTO t (a, nme) VALUES (1, 'x');
--> COLUMN_NOT_FOUND at 1:19: Insert column name does not exist in target table: nme
INSERT INTO t (a, A) VALUES (1, 2);
--> DUPLICATE_COLUMN_NAME at 1:19: Insert column name is specified more than once: A
INSERT INTO missing VALUES (1);
--> TABLE_NOT_FOUND at 1:13: Table 'default.missing' does not exist
INSERT INTO t (a) SELECT nope FROM t;
--> COLUMN_NOT_FOUND at 1:26: Column 'nope' cannot be resolved
INSERT INTO t (a) SELECT count(*) FROM t;
--> TYPE_MISMATCH at 1:19: Insert query has mismatched column types: column 'a' is integer, and the query gives bigint. Table: [integer], Query: [bigint]
INSERT INTO t (a)
SELECT 1 / 0;
--> DIVISION_BY_ZERO at 1:1: Division by zero
SELECT count(*) FROM t;
--> _col0 bigint
--> [8]

CREATE TABLE required (id bigint NOT NULL, name string);
--> ok
INSERT INTO required VALUES (1, 'x'), (NULL, 'y');
--> CONSTRAINT_VIOLATION at 1:1: NULL value not allowed for NOT NULL column: id
INSERT INTO required (name) VALUES ('x');
--> CONSTRAINT_VIOLATION at 1:13: NULL value not allowed for NOT NULL column: id
INSERT INTO required (id) VALUES (7);
--> 1 rows
SELECT * FROM required;
--> id bigint, name varchar
--> [7,null]

-- Types.
CREATE TABLE kinds (a boolean, b int, c bigint, d float, e double, f decimal(10,2), g string, h binary, i date,
  k timestamp, l timestamp with time zone);
--> ok
INSERT INTO kinds VALUES (true, 1, 2, 1.5, 2.5, 3.25, 'text', X'cafe', DATE '2026-01-31', TIMESTAMP '2026-01-31 12:00:00.123456',
  TIMESTAMP '2026-01-31 12:00:00');
--> 1 rows
INSERT INTO kinds VALUES (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
--> 1 rows
INSERT INTO kinds (k, l) SELECT i, k FROM kinds WHERE a;
--> 1 rows
INSERT INTO kinds (f, e, d) SELECT b, c, b FROM kinds WHERE a;
--> TYPE_MISMATCH at 1:29: Insert query has mismatched column types: column 'f' is decimal(10, 2), and the query gives integer. Table: [decimal(10, 2), double, real], Query: [integer, bigint, integer]
INSERT INTO kinds (f) VALUES (100000000);
--> NUMERIC_VALUE_OUT_OF_RANGE at 1:1: 100000000.00 is too large to store in a Decimal128 of precision 10. Max is 99999999.99
INSERT INTO kinds (i) VALUES ('2026-01-31');
--> TYPE_MISMATCH at 1:23: Insert query has mismatched column types: column 'i' is date, and the query gives varchar. Table: [date], Query: [varchar]
INSERT INTO kinds (k) SELECT l FROM kinds;
--> TYPE_MISMATCH at 1:23: Insert query has mismatched column types: column 'k' is timestamp(6), and the query gives timestamp(6) with time zone. Table: [timestamp(6)], Query: [timestamp(6) with time zone]
SELECT * FROM kinds ORDER BY a NULLS LAST, k NULLS LAST, f NULLS LAST;
--> a boolean, b integer, c bigint, d real, e double, f decimal(10, 2), g varchar, h varbinary, i date, k timestamp(6), l timestamp(6) with time zone
--> [true,1,2,1.5,2.5,"3.25","text","yv4=","2026-01-31","2026-01-31 12:00:00.123456","2026-01-31 12:00:00.000000 UTC"]
--> [null,null,null,null,null,null,null,null,null,"2026-01-31 00:00:00.000000","2026-01-31 12:00:00.123456 UTC"]
--> [null,null,null,null,null,null,null,null,null,null,null]

CREATE TABLE nested (s struct<x:int,y:array<string>>, m map<string,bigint>, p array<struct<q:date>>);
--> ok
INSERT INTO nested SELECT named_struct('Y', make_array('b', 'a'), 'x', 1), MAP {'k': 1}, make_array(named_struct('q', DATE '2026-01-31'));
--> 1 rows
INSERT INTO nested (s) SELECT named_struct('x', 1, 'z', make_array('b'));
--> TYPE_MISMATCH at 1:24: Insert query has mismatched column types: column 's' is row(x integer, y array(varchar)), and the query gives row(x bigint, z array(varchar)). Table: [row(x integer, y array(varchar))], Query: [row(x bigint, z array(varchar))]
INSERT INTO nested SELECT * FROM nested;
--> 1 rows
SELECT * FROM nested;
--> s row(x integer, y array(varchar)), m map(varchar, bigint), p array(row(q date))
--> [[1,["b","a"]],{"k":1},[["2026-01-31"]]]
--> [[1,["b","a"]],{"k":1},[["2026-01-31"]]]
SELECT s.y[1] AS first, m['k'] AS k FROM nested LIMIT 1;
--> first varchar, k bigint
--> ["b",1]

-- Types that Iceberg has beyond Athena.
CREATE TABLE beyond (t time, u uuid, x fixed(3), n decimal(38,0));
--> ok
INSERT INTO beyond VALUES (TIME '03:04:05.123456', X'12151fd2758611e98f9e2a86e4085a59', X'010203', 12345678901234567890);
--> 1 rows
INSERT INTO beyond (x) VALUES (X'0102');
--> INVALID_CAST_ARGUMENT at 1:1: Byte slice does not have the same length as FixedSizeBinaryBuilder value lengths
INSERT INTO beyond (n) SELECT count(*) FROM beyond;
--> 1 rows
SELECT * FROM beyond ORDER BY t;
--> t time(6), u uuid, x varbinary, n decimal(38, 0)
--> ["03:04:05.123456","12151fd2-7586-11e9-8f9e-2a86e4085a59","AQID","12345678901234567890"]
--> [null,null,null,"1"]
SELECT s.x AS x, m, P[1].Q FROM nested WHERE s.x = 1 AND m['k'] = 1;
--> x integer, m map(varchar, bigint), q date
--> [1,{"k":1},"2026-01-31"]
--> [1,{"k":1},"2026-01-31"]
INSERT INTO t (a) SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT c FROM t;
--> TYPE_MISMATCH at 1:19: Insert query has mismatched column types: column 'a' is integer, and the query gives double. Table: [integer], Query: [double]
INSERT INTO t (a) (SELECT 100 UNION ALL SELECT 200);
--> 2 rows
INSERT INTO t (a) WITH w AS (SELECT max(a) AS best FROM t) SELECT best FROM w;
--> 1 rows
SELECT count(*) FROM t WHERE a >= 100;
--> _col0 bigint
--> [5]
