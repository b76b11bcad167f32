-- Databases.
SHOW DATABASES;
--> database_name varchar
--> ["default"]
CREATE DATABASE shop COMMENT 'what is sold' WITH DBPROPERTIES ('owner' = 'me');
--> ok
CREATE SCHEMA Games;
--> ok
CREATE DATABASE shop;
--> SCHEMA_ALREADY_EXISTS at 1:17: Database 'shop' already exists
CREATE DATABASE IF NOT EXISTS shop;
--> ok
CREATE DATABASE `a.b`;
--> INVALID_ARGUMENTS at 1:17: `a.b` has '.', which names cannot have: use letters, digits, `_` and `-`
CREATE DATABASE elsewhere LOCATION 's3://bucket/there';
--> NOT_SUPPORTED at 1:36: a database has no LOCATION here: its tables are put into the warehouse, or where CREATE TABLE says
SHOW DATABASES;
--> database_name varchar
--> ["default"]
--> ["games"]
--> ["shop"]
SHOW SCHEMAS LIKE 'g*|d*';
--> database_name varchar
--> ["default"]
--> ["games"]
CREATE TABLE shop.orders (id bigint);
--> ok
DROP DATABASE shop;
--> SCHEMA_NOT_EMPTY at 1:15: Database 'shop' has tables; CASCADE drops them too
DROP DATABASE SHOP CASCADE;
--> ok
DROP DATABASE shop;
--> SCHEMA_NOT_FOUND at 1:15: Database 'shop' does not exist
DROP SCHEMA IF EXISTS shop;
--> ok
SHOW TABLES IN shpo;
--> SCHEMA_NOT_FOUND at 1:16: Database 'shpo' does not exist
SHOW TABLES IN gamess;
--> SCHEMA_NOT_FOUND at 1:16: Database 'gamess' does not exist; did you mean 'games'?
SHOW DATABASES;
--> database_name varchar
--> ["default"]
--> ["games"]
