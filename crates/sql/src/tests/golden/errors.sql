-- Errors: Trino's code, the place, the nearest name.
CREATE TABLE events (id bigint, country string, payload struct<device:string>);
--> ok
SELECT * FROM evens;
--> TABLE_NOT_FOUND at 1:15: Table 'default.evens' does not exist; did you mean 'events'?
SELECT contry FROM events;
--> COLUMN_NOT_FOUND at 1:8: Column 'contry' cannot be resolved; did you mean 'country'?
SELECT e.contry
FROM events AS e;
--> COLUMN_NOT_FOUND at 1:8: Column 'e.contry' cannot be resolved; did you mean 'country'?
SELECT payload.devic FROM events;
--> COLUMN_NOT_FOUND at 1:16: Column 'devic' cannot be resolved
SELECT * FROM shop.events;
--> SCHEMA_NOT_FOUND at 1:15: Database 'shop' does not exist
SELECT * FROM other.default.events;
--> CATALOG_NOT_FOUND at 1:15: Catalog 'other' does not exist
SELEC 1;
--> SYNTAX_ERROR at 1:1: mismatched input 'SELEC'. Expecting: <query>, 'EXPLAIN', 'INSERT', 'SHOW', 'DESCRIBE', 'DESC', 'CREATE', 'DROP', 'ALTER', 'MERGE', 'UPDATE', 'DELETE'
SELECT id FROM events WHERE;
--> SYNTAX_ERROR at 1:28: Expected: an expression, found: EOF
SELECT id FROM events WHERE (id = 1
AND;
--> SYNTAX_ERROR at 2:4: Expected: an expression, found: EOF
SELECT (1;
--> SYNTAX_ERROR at 1:10: Expected: ), found: EOF
SELECT upperr(country) FROM events;
--> FUNCTION_NOT_FOUND at 1:8: Function 'upperr' not registered; did you mean 'upper'?
SELECT upper(1, 2) FROM events;
--> FUNCTION_NOT_FOUND at 1:8: Function 'upper' expects 1 arguments but received 2. No function matches the given name and argument types 'upper(Int64, Int64)'. You might need to add explicit type casts. 	Candidate functions: 	upper(String)
SELECT country + 1 FROM events;
--> TYPE_MISMATCH at 1:8: Cannot coerce arithmetic expression Utf8View + Int64 to valid types
SELECT country, count(*) FROM events;
--> EXPRESSION_NOT_AGGREGATE at 1:8: Column in SELECT must be in GROUP BY or an aggregate function: While expanding wildcard, column "events.country" must appear in the GROUP BY clause or must be part of an aggregate function, currently only "count(Int64(1))" appears in the SELECT clause satisfies this requirement
SELECT id FROM events a, events b;
--> AMBIGUOUS_NAME at 1:8: Column 'id' is ambiguous
SELECT 1 / 0;
--> DIVISION_BY_ZERO at 1:1: Division by zero
SELECT CAST('x' AS bigint);
--> INVALID_CAST_ARGUMENT at 1:1: Cannot cast string 'x' to value of Int64 type
SELECT CAST(300 AS tinyint);
--> NUMERIC_VALUE_OUT_OF_RANGE at 1:1: Can't cast value 300 to type Int8
SELECT 9223372036854775807 + 1;
--> _col0 bigint
--> [-9223372036854775808]
SELECT (SELECT id FROM (VALUES (1), (2)) AS v(id));
--> SUBQUERY_MULTIPLE_ROWS at 1:1: Scalar subquery returned more than one row
UPDATE events SET id = 1;
--> NOT_SUPPORTED at 1:1: UPDATE is not supported yet
DELETE FROM events;
--> NOT_SUPPORTED at 1:1: DELETE FROM is not supported yet
MERGE INTO events USING events ON true WHEN MATCHED THEN DELETE;
--> NOT_SUPPORTED at 1:1: MERGE INTO is not supported yet
CREATE TABLE copy AS SELECT * FROM events;
--> NOT_SUPPORTED at 1:1: CREATE TABLE ... AS is not supported yet
CREATE VIEW v AS SELECT 1;
--> NOT_SUPPORTED at 1:1: CREATE VIEW is not supported yet
OPTIMIZE events REWRITE DATA USING BIN_PACK;
--> NOT_SUPPORTED at 1:1: OPTIMIZE is not supported yet
VACUUM events;
--> NOT_SUPPORTED at 1:1: VACUUM is not supported yet
SHOW PARTITIONS events;
--> NOT_SUPPORTED at 1:1: SHOW PARTITIONS is not supported yet
DESCRIBE events id;
--> NOT_SUPPORTED at 1:1: DESCRIBE of a column is not supported yet
USE shop;
--> SYNTAX_ERROR at 1:1: USE is not a statement of Athena: choose the database of the session, or write database.table
INSERT OVERWRITE events SELECT 1;
--> SYNTAX_ERROR at 1:8: Athena has no INSERT OVERWRITE: use INSERT INTO, or DELETE and INSERT INTO
SELECT round('x');
--> FUNCTION_NOT_FOUND at 1:8: Internal error: Function 'round' failed to match any signature, errors: Error during planning: Function 'round' expects 2 arguments but received 1,Error during planning: Function 'round' requires Decimal, but received String (DataType: Utf8).,Error during planning: Function 'round' expects 2 arguments but received 1,Error during planning: Function 'round' requires Float32, but received String (DataType: Utf8).,Error during planning: Function 'round' expects 2 arguments but received 1,Error during planning: Function 'round' requires Float64, but received String (DataType: Utf8)..
SELECT regexp_like(country, '(') FROM events;
--> INVALID_FUNCTION_ARGUMENT at 1:1: regex parse error:     (     ^ error: unclosed group
SELECT true = 1;
--> TYPE_MISMATCH at 1:1: Cannot infer common argument type for comparison operation Boolean = Int64
VALUES (1, 'a'), (2);
--> TYPE_MISMATCH at 1:1: Inconsistent data length across values list: got 1 values in row 1 but expected 2
DROP DATABASE `default`;
--> SCHEMA_NOT_EMPTY at 1:15: Database 'default' has tables; CASCADE drops them too
