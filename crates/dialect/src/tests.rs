//! What each statement becomes, what each mistake is answered with, and that trees print as text that parses back.

use super::*;
use proptest::prelude::*;

fn one(text: &str) -> Statement {
    let mut all = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(all.len(), 1, "{text}");
    all.remove(0).value
}

fn error(text: &str) -> String {
    parse(text).expect_err(text).to_string()
}

fn table(name: &str) -> TableRef {
    let (database, table) =
        name.split_once('.').map_or((None, name), |(database, table)| (Some(database.into()), table));
    TableRef { catalog: None, database, table: table.into() }
}

#[test]
fn a_text_splits_at_semicolons_outside_of_quotes_and_comments() {
    let text = "select ';' -- not; here\n; ; /* nor; here */ select \";\";\n\nselect 3";
    let all = parse(text).unwrap();
    let queries: Vec<_> = all
        .iter()
        .map(|statement| match &statement.value {
            Statement::Query(query) => query.value.as_str(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(queries, ["select ';'", "select \";\"", "select 3"]);
    assert_eq!((all[2].position.line, all[2].position.column), (4, 1));
    assert_eq!(&text[all[2].position.offset..], "select 3");
    assert!(parse(" ;; -- nothing\n").unwrap().is_empty());
}

#[test]
fn a_backslash_escapes_in_hive_and_is_a_character_in_trino() {
    let all = parse(r"select '\'; alter table t set tblproperties ('a' = 'it\'s; ok'); select 'x'").unwrap();
    assert_eq!(all.len(), 3);
    assert_eq!(all[0].value, Statement::Query(r"select '\'".into()));
    let properties = vec![Property::from(("a", "it's; ok"))];
    assert_eq!(all[1].value, Statement::SetTableProperties { table: table("t"), properties });
    let all = parse(r"create table t as select '\' as x; select 2").unwrap();
    assert!(matches!(&all[0].value, Statement::NotYet { what, .. } if what == "CREATE TABLE ... AS"));
    assert_eq!(all.len(), 2);
}

#[test]
fn good_statements_before_a_faulty_one_are_still_given() {
    let mut all = statements("select 1; selekt 2; select 3; select 'open");
    assert!(all.next().unwrap().is_ok());
    assert_eq!(all.next().unwrap().unwrap_err().position.column, 11);
    assert!(all.next().unwrap().is_ok());
    assert!(all.next().unwrap().unwrap_err().message.contains("text without its closing '"));
    assert!(all.next().is_none());
}

#[test]
fn queries_are_handed_on_as_text() {
    for text in [
        "SELECT 1",
        "with a as (select 1) table a",
        "VALUES 1, 2",
        "((select 1) union (select 2))",
        "TABLE t",
    ] {
        assert_eq!(one(text), Statement::Query(text.into()));
    }
    assert_eq!(one("  select 1 /* x */ + 2  "), Statement::Query("select 1 /* x */ + 2".into()));
}

#[test]
fn inserts_are_read_up_to_the_query() {
    let Statement::Insert(insert) = one("INSERT INTO \"Db\".t (a, \"b c\") SELECT 1, 2") else { panic!() };
    assert_eq!(insert.table, table("Db.t"));
    assert_eq!(insert.columns, ["a".into(), Ident::from("b c")]);
    assert_eq!((insert.query.value.as_str(), insert.query.position.column), ("SELECT 1, 2", 31));
    for text in [
        "insert into t (select 1)",
        "insert into t ((select 1))",
        "insert into t values (1)",
        "insert into t table u",
    ] {
        let Statement::Insert(insert) = one(text) else { panic!() };
        assert!(insert.columns.is_empty(), "{text}");
    }
    let Statement::Insert(insert) = one("insert into t (values, x) values (1, 2)") else { panic!() };
    assert_eq!(insert.columns.len(), 2);
    assert!(error("insert overwrite t select 1").contains("no INSERT OVERWRITE"));
    assert_eq!(error("insert into t"), "line 1:14: mismatched input '<EOF>'. Expecting: '.', <query>");
}

#[test]
fn shows_and_describes() {
    assert_eq!(one("show databases"), Statement::ShowDatabases { like: None });
    assert_eq!(one("SHOW SCHEMAS LIKE 'a*|b'"), Statement::ShowDatabases { like: Some("a*|b".into()) });
    let tables = |database: Option<&str>, like: Option<&str>| Statement::ShowTables {
        database: database.map(Into::into),
        like: like.map(Into::into),
    };
    assert_eq!(one("show tables"), tables(None, None));
    assert_eq!(one("show tables in `db` '*x*'"), tables(Some("db"), Some("*x*")));
    assert_eq!(one("show tables from AwsDataCatalog.db like 'x'"), tables(Some("db"), Some("x")));
    let columns = Statement::ShowColumns { table: table("db.t") };
    assert_eq!(one("show columns in db.t"), columns);
    assert_eq!(one("show columns from t in db"), columns);
    assert!(error("show columns in a.t in b").contains("named twice"));
    assert_eq!(one("show create table t"), Statement::ShowCreateTable { table: table("t") });
    let property = Statement::ShowTableProperties { table: table("t"), key: Some("k".into()) };
    assert_eq!(one("show tblproperties t ('k')"), property);
    let describe = |form, name| Statement::Describe { form, table: table(name) };
    assert_eq!(one("describe db.t"), describe(DescribeForm::Plain, "db.t"));
    assert_eq!(one("desc extended t"), describe(DescribeForm::Extended, "t"));
    assert_eq!(one("DESCRIBE FORMATTED t"), describe(DescribeForm::Formatted, "t"));
    assert_eq!(one("describe extended"), describe(DescribeForm::Plain, "extended"));
    assert_eq!(one("describe formatted.t"), describe(DescribeForm::Plain, "formatted.t"));
}

#[test]
fn databases_are_made_and_dropped() {
    let create = CreateDatabase {
        name: "d".into(),
        if_not_exists: true,
        comment: Some("c".into()),
        location: Some("s3://b/p".into()),
        properties: vec![("a", "b").into()],
    };
    let text = "create schema if not exists d comment 'c' location \"s3://b/p\" with dbproperties ('a'='b')";
    assert_eq!(one(text), Statement::CreateDatabase(create));
    let drop = |if_exists, cascade| Statement::DropDatabase { name: "d".into(), if_exists, cascade };
    assert_eq!(one("drop database d"), drop(false, false));
    assert_eq!(one("drop schema if exists d restrict"), drop(true, false));
    assert_eq!(one("drop database `d` cascade"), drop(false, true));
}

#[test]
fn an_iceberg_table_in_athenas_form() {
    let text = "CREATE TABLE IF NOT EXISTS db.`t-1` (
        id bigint COMMENT 'the \\'id\\'', a struct<b:array<string>,`c d`:map<int,decimal(9,2)>>, `date` date, ts timestamp,
        tz timestamp with time zone NOT NULL, v varchar(10), n varchar)
      COMMENT 'events' PARTITIONED BY (category, bucket(16, id), day(ts), truncate(4, a.b))
      LOCATION 's3://bucket/t/' TBLPROPERTIES ('table_type'='ICEBERG', 'format'='parquet')";
    let Statement::CreateTable(create) = one(text) else { panic!() };
    assert_eq!(create.table, table("db.t-1"));
    let types: Vec<_> = create.columns.iter().map(|column| column.data_type.value.to_string()).collect();
    let expected = [
        "bigint",
        "struct<b:array<string>,`c d`:map<int,decimal(9,2)>>",
        "date",
        "timestamp",
        "timestamp with time zone",
        "varchar(10)",
        "string",
    ];
    assert_eq!(types, expected);
    assert_eq!(create.columns[0].comment, Some("the 'id'".into()));
    assert!(create.columns[4].not_null);
    let fields: Vec<_> = create.partitioned_by.iter().map(|field| field.value.to_string()).collect();
    assert_eq!(fields, ["`category`", "bucket(16, `id`)", "day(`ts`)", "truncate(4, `a`.`b`)"]);
    assert_eq!(create.properties[1], ("format", "parquet").into());
    assert_eq!(one(&Statement::CreateTable(create.clone()).to_string()), Statement::CreateTable(create));
}

#[test]
fn mistakes_name_their_place_and_what_was_expected() {
    assert_eq!(error("create table t (a strin)"), "line 1:19: unknown type 'strin'");
    assert_eq!(
        error("create table t (a row)"),
        "line 1:19: unknown type 'row'; in DDL it is struct<name: type>"
    );
    assert_eq!(error("create table t ()"), "line 1:17: mismatched input ')'. Expecting: <identifier>");
    assert_eq!(
        error("drop\n  index i"),
        "line 2:3: mismatched input 'index'. Expecting: 'DATABASE', 'SCHEMA', 'TABLE', 'VIEW'"
    );
    assert_eq!(
        error("show tables x"),
        "line 1:13: mismatched input 'x'. Expecting: 'IN', 'FROM', 'LIKE', <string>, <EOF>"
    );
    assert!(
        error("grant select on t to u")
            .starts_with("line 1:1: mismatched input 'grant'. Expecting: <query>, 'EXPLAIN'")
    );
    assert!(error("create table t (a int) partitioned by (dt string)").contains("name them without a type"));
    assert!(error("create table t (a decimal(39,2))").contains("the precision is 1 to 38"));
    assert!(
        error("create table t (a int) location 'x' location 'y'").contains("mismatched input 'location'")
    );
    assert!(error("use db").contains("not a statement of Athena"));
    assert!(error("select `a` from t").contains("use double quotes"));
    assert!(error("select /* 1").contains("comment without its end"));
    assert!(error("explain explain select 1").contains("EXPLAIN of EXPLAIN"));
    let deep = format!("create table t (a {}int{})", "array<".repeat(200), ">".repeat(200));
    assert!(error(&deep).contains("nests deeper"));
}

#[test]
fn what_is_not_there_yet_is_known_by_name() {
    for (text, name) in [
        ("MERGE INTO t USING s ON a = b WHEN MATCHED THEN DELETE", "MERGE INTO"),
        ("update t set a = 1", "UPDATE"),
        ("delete from t where a = ';'", "DELETE FROM"),
        ("create table t with (format = 'x') as select 1", "CREATE TABLE ... AS"),
        ("create external table t (a int) stored as parquet", "CREATE EXTERNAL TABLE"),
        ("create table t (a int) row format delimited", "CREATE TABLE ... ROW FORMAT"),
        ("create or replace view v as select '\\'", "CREATE OR REPLACE VIEW"),
        ("unload (select 1) to 's3://b/' with (format = 'parquet')", "UNLOAD"),
        ("optimize t rewrite data using bin_pack", "OPTIMIZE"),
        ("vacuum t", "VACUUM"),
        ("alter table t add columns (a int)", "ALTER TABLE ... ADD COLUMNS"),
        ("msck repair table t", "MSCK REPAIR TABLE"),
        ("describe t a", "DESCRIBE of a column"),
    ] {
        assert_eq!(one(text), Statement::NotYet { what: name.to_owned(), text: text.into() });
    }
}

#[test]
fn explain_holds_any_statement() {
    let Statement::Explain(explain) = one("explain analyze verbose (format text, type logical) select 1")
    else {
        panic!()
    };
    assert!(explain.analyze && explain.verbose);
    assert_eq!(explain.options.len(), 2);
    assert_eq!(*explain.statement, Statement::Query("select 1".into()).into());
    assert_eq!(explain.statement.position.column, 53);
    let Statement::Explain(explain) = one("explain merge into t using s on true") else { panic!() };
    assert_eq!(explain.statement.value.to_string(), "merge into t using s on true");
}

#[test]
fn places_inside_a_query_become_places_in_the_text() {
    let start = Position { offset: 10, line: 3, column: 8 };
    assert_eq!(start.within(1, 5), (3, 12));
    assert_eq!(start.within(2, 5), (4, 5));
}

/// Names of any characters, keywords among them.
fn name() -> impl Strategy<Value = Ident> {
    prop_oneof![
        "[a-zA-Z_][a-zA-Z0-9_]{0,8}",
        "[ -~한글é]{1,8}",
        Just("table".to_owned()),
        Just("select".to_owned()),
        Just("if".to_owned())
    ]
    .prop_map(Into::into)
}

fn text() -> impl Strategy<Value = At<String>> {
    "[ -~한\n\t\r\u{0}\u{8}\u{1f600}]{0,12}".prop_map(Into::into)
}

fn table_ref() -> impl Strategy<Value = TableRef> {
    (prop::option::of(name()), name()).prop_map(|(database, table)| TableRef {
        catalog: None,
        database,
        table,
    })
}

fn properties(at_least: usize) -> impl Strategy<Value = Vec<Property>> {
    prop::collection::vec((text(), text()).prop_map(|(key, value)| Property { key, value }), at_least..4)
}

fn hive_type() -> impl Strategy<Value = HiveType> {
    let leaf = prop_oneof![
        Just(HiveType::Boolean),
        Just(HiveType::TinyInt),
        Just(HiveType::SmallInt),
        Just(HiveType::Int),
        Just(HiveType::BigInt),
        Just(HiveType::Float),
        Just(HiveType::Double),
        Just(HiveType::String),
        Just(HiveType::Binary),
        Just(HiveType::Date),
        Just(HiveType::Time),
        Just(HiveType::Timestamp),
        Just(HiveType::TimestampWithTimeZone),
        Just(HiveType::Uuid),
        (1_u32..99).prop_map(HiveType::Fixed),
        (1_u32..99).prop_map(HiveType::Varchar),
        (1_u32..99).prop_map(HiveType::Char),
        (1_u8..=38, 0_u8..=38)
            .prop_map(|(precision, scale)| HiveType::Decimal { precision, scale: scale.min(precision) }),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let field =
            (name(), inner.clone(), prop::option::of(text())).prop_map(|(name, data_type, comment)| {
                StructField { name: name.value, data_type, comment: comment.map(|comment| comment.value) }
            });
        prop_oneof![
            inner.clone().prop_map(|element| HiveType::Array(Box::new(element))),
            (inner.clone(), inner).prop_map(|(key, value)| HiveType::Map(Box::new(key), Box::new(value))),
            prop::collection::vec(field, 1..4).prop_map(HiveType::Struct),
        ]
    })
}

fn create_table() -> impl Strategy<Value = Statement> {
    let column = (name(), hive_type(), any::<bool>(), prop::option::of(text())).prop_map(
        |(name, data_type, not_null, comment)| ColumnDefinition {
            name,
            data_type: data_type.into(),
            not_null,
            comment,
        },
    );
    let path = prop::collection::vec(name(), 1..3);
    let field = (prop::option::of("[a-z]{1,6}"), prop::option::of(0_u32..99), path).prop_map(
        |(transform, parameter, column)| {
            let parameter = transform.as_ref().and(parameter);
            At::from(PartitionField { transform: transform.map(Into::into), parameter, column })
        },
    );
    (
        (table_ref(), any::<bool>(), prop::collection::vec(column, 1..5), prop::option::of(text())),
        (prop::collection::vec(field, 0..3), prop::option::of(text()), properties(0)),
    )
        .prop_map(
            |((table, if_not_exists, columns, comment), (partitioned_by, location, properties))| {
                let create = CreateTable {
                    table,
                    if_not_exists,
                    columns,
                    comment,
                    partitioned_by,
                    location,
                    properties,
                };
                Statement::CreateTable(create)
            },
        )
}

fn statement() -> impl Strategy<Value = Statement> {
    let query = prop_oneof![
        Just("SELECT ';', '\\'"),
        Just("VALUES (1, 'a''b')"),
        Just("(SELECT 1) -- x\n UNION SELECT 2")
    ];
    let query = query.prop_map(At::<String>::from);
    let database = (any::<bool>(), name(), prop::option::of(text()), prop::option::of(text()), properties(0));
    let explained = (any::<bool>(), query.clone()).prop_map(|(analyze, query)| {
        let statement = Box::new(Statement::Query(query).into());
        Statement::Explain(Explain { analyze, verbose: false, options: Vec::new(), statement })
    });
    prop_oneof![
        query.clone().prop_map(Statement::Query),
        explained,
        prop::option::of(text()).prop_map(|like| Statement::ShowDatabases { like }),
        (prop::option::of(name()), prop::option::of(text()))
            .prop_map(|(database, like)| Statement::ShowTables { database, like }),
        table_ref().prop_map(|table| Statement::ShowColumns { table }),
        table_ref().prop_map(|table| Statement::ShowCreateTable { table }),
        (table_ref(), prop::option::of(text()))
            .prop_map(|(table, key)| Statement::ShowTableProperties { table, key }),
        table_ref().prop_map(|table| Statement::Describe { form: DescribeForm::Extended, table }),
        database.prop_map(|(if_not_exists, name, comment, location, properties)| {
            Statement::CreateDatabase(CreateDatabase { name, if_not_exists, comment, location, properties })
        }),
        (name(), any::<bool>(), any::<bool>())
            .prop_map(|(name, if_exists, cascade)| Statement::DropDatabase { name, if_exists, cascade }),
        create_table(),
        (table_ref(), any::<bool>()).prop_map(|(table, if_exists)| Statement::DropTable { table, if_exists }),
        (table_ref(), properties(1))
            .prop_map(|(table, properties)| Statement::SetTableProperties { table, properties }),
        (table_ref(), prop::collection::vec(text(), 1..3), any::<bool>())
            .prop_map(|(table, keys, if_exists)| Statement::UnsetTableProperties { table, keys, if_exists }),
        (table_ref(), prop::collection::vec(name(), 0..3), query)
            .prop_map(|(table, columns, query)| Statement::Insert(Insert { table, columns, query })),
    ]
}

proptest! {
    #[test]
    fn what_is_printed_parses_to_the_same(statement in statement()) {
        let printed = statement.to_string();
        let parsed = parse(&printed);
        prop_assert_eq!(parsed.map_err(|error| format!("{error} in {printed}")), Ok(vec![statement.into()]));
    }

    #[test]
    fn any_text_gets_an_answer(text in "(?s).{0,60}") {
        let _ = parse(&text);
    }

    #[test]
    fn any_order_of_words_gets_an_answer(words in prop::collection::vec(prop_oneof![
        Just("create"), Just("table"), Just("show"), Just("explain"), Just("insert"), Just("into"), Just("("), Just(")"), Just("a"),
        Just("."), Just(","), Just("'x'"), Just("as"), Just("select"), Just("alter"), Just("set"), Just("tblproperties"), Just("="),
        Just("describe"), Just("partitioned"), Just("by"), Just("1"), Just("array"), Just("<"), Just(">"), Just("in"), Just(";")
    ], 0..14)) {
        let _ = parse(&words.join(" "));
    }
}

#[test]
fn what_is_too_large_or_too_deep_is_refused_where_it_becomes_so() {
    let nested = |open: &str, close: &str, times: usize| {
        format!("select {}1{}", open.repeat(times), close.repeat(times))
    };
    for (open, close) in [("(", ")"), ("abs(", ")"), ("case when true then ", " end"), ("array[", "]")] {
        assert!(parse(&nested(open, close, 60)).is_ok(), "{open}");
        assert!(error(&nested(open, close, 10_000)).contains("deeper than 100"), "{open}");
    }
    assert!(error(&format!("select\n{}", "(".repeat(10_000))).starts_with("line 2:100: "));
    for chain in [
        " or a = 1",
        " and b",
        " + 1",
        " || 'x'",
        "::bigint",
        " between 1 and 1",
        ".a",
        " not like 'x'",
        " -",
    ] {
        assert!(parse(&format!("select a{}", chain.repeat(300))).is_ok(), "{chain}");
        assert!(
            error(&format!("select a{}", chain.repeat(50_000))).contains("chain of operators"),
            "{chain}"
        );
    }
    assert!(parse(&format!("select 1{}", " union all select 1".repeat(400))).is_ok());
    assert!(
        error(&format!("select 1{}", " union all select 1".repeat(5000))).contains("more than 500 queries")
    );
    assert!(
        error(&format!("with t as (select 1){} select 1", ", t as (select 1)".repeat(5000)))
            .contains("500 queries")
    );
    for join in [", t", " join t using (a)", " cross join t"] {
        assert!(parse(&format!("select * from t{}", join.repeat(150))).is_ok(), "{join}");
        assert!(
            error(&format!("select * from t{}", join.repeat(500))).contains("more than 200 tables"),
            "{join}"
        );
    }
    assert!(error(&format!("select '{}'", "x".repeat(50 << 20))).contains("16 MiB"));
    let mut limits = limits::Limits::new(Position::START);
    let word = lexer::Token { kind: lexer::TokenKind::Number, start: Position::START, end: 1 };
    let refused = (0..2_000_000).find_map(|_| limits.pass("1", &word).err());
    assert!(refused.unwrap().message.contains("1000000 words"));
}

#[test]
fn long_lists_are_not_deep() {
    let many = |text: &str| text.repeat(20_000);
    for text in [
        format!("select 1 where 1 in (1{})", many(", 1")),
        format!("values (1, 'x'){}", many(", (1, 'x')")),
        format!("select 1{}", many(", a + 1")),
        format!("select case a {} end", "when 1 then 2 ".repeat(20_000)),
        format!("select concat('a'{})", many(", 'b'")),
    ] {
        assert!(parse(&text).is_ok(), "{}", &text[..40]);
    }
    assert!(parse(&"select a or b; ".repeat(2000)).is_ok());
}
