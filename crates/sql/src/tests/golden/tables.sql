-- Tables made, shown, changed and dropped.
CREATE TABLE events (
  id bigint NOT NULL COMMENT 'who',
  kind string,
  at timestamp with time zone,
  geo struct<city:string,lat:double,lon:double>,
  tags array<string>,
  counts map<string,int>
)
COMMENT 'what happened'
PARTITIONED BY (day(at), bucket(16, id), geo.city)
TBLPROPERTIES ('table_type'='ICEBERG', 'format'='parquet', 'write_compression'='zstd', 'vacuum_max_snapshot_age_seconds'='60');
--> ok
CREATE TABLE EVENTS (a int);
--> TABLE_ALREADY_EXISTS at 1:14: Table 'default.events' already exists
CREATE TABLE IF NOT EXISTS Events (a int);
--> ok
CREATE TABLE plain (a int);
--> ok
SHOW TABLES;
--> tab_name varchar
--> ["events"]
--> ["plain"]
SHOW TABLES '*v*';
--> tab_name varchar
--> ["events"]
SHOW TABLES IN `default` LIKE 'p*|x';
--> tab_name varchar
--> ["plain"]
SHOW COLUMNS IN events;
--> field varchar
--> ["id"]
--> ["kind"]
--> ["at"]
--> ["geo"]
--> ["tags"]
--> ["counts"]
SHOW COLUMNS FROM events IN DEFAULT;
--> field varchar
--> ["id"]
--> ["kind"]
--> ["at"]
--> ["geo"]
--> ["tags"]
--> ["counts"]
SHOW TBLPROPERTIES events;
--> prpt_name varchar, prpt_value varchar
--> ["comment","what happened"]
--> ["history.expire.max-snapshot-age-ms","60000"]
--> ["write.format.default","parquet"]
--> ["write.parquet.compression-codec","zstd"]
SHOW TBLPROPERTIES events ('write_compression');
--> prpt_name varchar, prpt_value varchar
--> ["write.parquet.compression-codec","zstd"]
SHOW TBLPROPERTIES events ('nothing');
--> INVALID_TABLE_PROPERTY at 1:28: Table 'default.events' has no property 'nothing'
DESCRIBE events;
--> col_name varchar, data_type varchar, comment varchar
--> ["id","bigint","who"]
--> ["kind","string",""]
--> ["at","timestamp with time zone",""]
--> ["geo","struct<city:string,lat:double,lon:double>",""]
--> ["tags","array<string>",""]
--> ["counts","map<string,int>",""]
--> ["","",""]
--> ["# Partition spec:","",""]
--> ["# field_name","field_transform","column_name"]
--> ["at_day","day","at"]
--> ["id_bucket","bucket[16]","id"]
--> ["geo_city","identity","geo.city"]
DESCRIBE plain;
--> col_name varchar, data_type varchar, comment varchar
--> ["a","int",""]
DESC Default.PLAIN;
--> col_name varchar, data_type varchar, comment varchar
--> ["a","int",""]
DESCRIBE hosu.default.plain;
--> col_name varchar, data_type varchar, comment varchar
--> ["a","int",""]
DESCRIBE AwsDataCatalog.default.plain;
--> col_name varchar, data_type varchar, comment varchar
--> ["a","int",""]
DESCRIBE other.default.plain;
--> CATALOG_NOT_FOUND at 1:10: Catalog 'other' does not exist; did you mean 'hosu'?
ALTER TABLE events SET TBLPROPERTIES ('write.target-file-size-bytes' = '1000000', 'mine' = 'x');
--> ok
ALTER TABLE events SET TBLPROPERTIES ('write.target-file-size-bytes' = 'big');
--> INVALID_TABLE_PROPERTY at 1:72: table property `write.target-file-size-bytes` cannot be `big`: a number of bytes above 0 is expected
ALTER TABLE events SET TBLPROPERTIES ('format' = 'orc');
--> NOT_SUPPORTED at 1:50: files of format 'orc': only PARQUET is written
ALTER TABLE events SET TBLPROPERTIES ('format-version' = '3');
--> INVALID_TABLE_PROPERTY at 1:58: format-version is 2, not '3'
ALTER TABLE events SET TBLPROPERTIES ('uuid' = 'x');
--> INVALID_TABLE_PROPERTY at 1:48: 'uuid' is a part of the table, not a property to set
ALTER TABLE events SET TBLPROPERTIES ('a' = '1', 'a' = '2');
--> INVALID_TABLE_PROPERTY at 1:50: property 'a' is given twice
ALTER TABLE events UNSET TBLPROPERTIES ('mine');
--> ok
ALTER TABLE events UNSET TBLPROPERTIES ('mine');
--> INVALID_TABLE_PROPERTY at 1:41: Table 'default.events' has no property 'mine'
ALTER TABLE events UNSET TBLPROPERTIES IF EXISTS ('mine', 'vacuum_max_snapshot_age_seconds');
--> ok
SHOW TBLPROPERTIES events;
--> prpt_name varchar, prpt_value varchar
--> ["comment","what happened"]
--> ["write.format.default","parquet"]
--> ["write.parquet.compression-codec","zstd"]
--> ["write.target-file-size-bytes","1000000"]
DROP TABLE plain;
--> ok
DROP TABLE plain;
--> TABLE_NOT_FOUND at 1:12: Table 'default.plain' does not exist
DROP TABLE IF EXISTS plain;
--> ok
DROP TABLE IF EXISTS nowhere.plain;
--> ok
DROP TABLE evnts;
--> TABLE_NOT_FOUND at 1:12: Table 'default.evnts' does not exist; did you mean 'default.events'?
DESCRIBE evnts;
--> TABLE_NOT_FOUND at 1:10: Table 'default.evnts' does not exist; did you mean 'default.events'?

-- What is no table.
CREATE TABLE bad (a int, A string);
--> DUPLICATE_COLUMN_NAME at 1:26: Column name 'A' specified more than once
CREATE TABLE bad (a tinyint);
--> NOT_SUPPORTED at 1:21: Iceberg tables have no type tinyint: use int
CREATE TABLE bad (a int, b struct<c:array<char(3)>>);
--> NOT_SUPPORTED at 1:28: Iceberg tables have no type char(3): use string
CREATE TABLE bad (a string) PARTITIONED BY (day(a));
--> INVALID_TABLE_PROPERTY at 1:45: `day(a)` has no meaning: `a` is string, and it needs a date or a timestamp
CREATE TABLE bad (a string, b int) PARTITIONED BY (a, bukket(4, b));
--> INVALID_TABLE_PROPERTY at 1:55: bukket(4, `b`) is no partitioning: write year(c), month(c), day(c), hour(c), bucket(16, c), truncate(10, c) or c
CREATE TABLE bad (a string, b int) PARTITIONED BY (a, bucket(b));
--> INVALID_TABLE_PROPERTY at 1:55: bucket(`b`) is no partitioning: write year(c), month(c), day(c), hour(c), bucket(16, c), truncate(10, c) or c
CREATE TABLE bad (a string, label int) PARTITIONED BY (a, lable);
--> COLUMN_NOT_FOUND at 1:59: there is no column `lable`: did you mean `label`?
CREATE TABLE bad (a int) TBLPROPERTIES ('table_type' = 'HIVE');
--> NOT_SUPPORTED at 1:56: tables of type 'HIVE': all tables are ICEBERG
CREATE TABLE bad (a int) TBLPROPERTIES ('write.parquet.compression-codec' = 'lzo');
--> INVALID_TABLE_PROPERTY at 1:77: table property `write.parquet.compression-codec` cannot be `lzo`: `zstd`, `snappy`, `gzip`, `lz4` or `uncompressed` is expected
CREATE TABLE nowhere.bad (a int);
--> SCHEMA_NOT_FOUND at 1:14: Database 'nowhere' does not exist
CREATE TABLE `../bad` (a int);
--> INVALID_ARGUMENTS at 1:14: `../bad` has '/', which names cannot have: use letters, digits, `_` and `-`
CREATE TABLE `a.b.c` (a int);
--> INVALID_ARGUMENTS at 1:14: `a.b.c` has 2 dots: a table is named `table` or `database.table`
CREATE TABLE bad (a int) LOCATION 'relative/folder';
--> INVALID_TABLE_PROPERTY at 1:35: `relative/folder` is not a location: it is a relative path
SHOW TABLES;
--> tab_name varchar
--> ["events"]

-- the tables of `system`, which no file is of
SHOW TABLES IN System;
--> tab_name varchar
--> ["ingests"]
--> ["job_runs"]
--> ["lineage"]
SHOW COLUMNS IN system.lineage;
--> field varchar
--> ["target"]
--> ["snapshot_id"]
--> ["job"]
--> ["run_id"]
--> ["input"]
--> ["from_snapshot_id"]
--> ["to_snapshot_id"]
--> ["committed_at"]
DESCRIBE system.JOB_RUNS;
--> col_name varchar, data_type varchar, comment varchar
--> ["run_id","string",""]
--> ["job","string",""]
--> ["target","string",""]
--> ["mode","string",""]
--> ["trigger","string",""]
--> ["slot","timestamp with time zone",""]
--> ["attempt","int",""]
--> ["state","string",""]
--> ["started_at","timestamp with time zone",""]
--> ["ended_at","timestamp with time zone",""]
--> ["snapshot_id","bigint",""]
--> ["inputs","array<struct<table_name:string,from_snapshot_id:bigint,to_snapshot_id:bigint>>",""]
--> ["rows_read","bigint",""]
--> ["bytes_read","bigint",""]
--> ["files_written","bigint",""]
--> ["rows_written","bigint",""]
--> ["bytes_written","bigint",""]
--> ["error","string",""]
SELECT job, state, inputs FROM system.job_runs;
--> job varchar, state varchar, inputs array(row(table_name varchar, from_snapshot_id bigint, to_snapshot_id bigint))
SHOW CREATE TABLE system.job_runs;
--> NOT_SUPPORTED at 1:26: system.job_runs has no files: it can only be read
INSERT INTO system.lineage VALUES (1);
--> NOT_SUPPORTED at 1:20: system.lineage has no files: it can only be read
SHOW TABLES IN nothere;
--> SCHEMA_NOT_FOUND at 1:16: Database 'nothere' does not exist
