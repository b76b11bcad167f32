//! A day of audit-log records in the shape of AWS CloudTrail's: the same envelope around every call, and request
//! parameters and response elements that differ from call to call.
//!
//! Accounts, addresses and keys are those that are reserved for documentation.

use crate::json::{Object, list, text, texts};
use crate::random::{Random, rfc3339};

/// 2026-03-07T00:00:00Z.
const DAY_MS: i64 = 1_772_841_600_000;
const ACCOUNT: &str = "123456789012";
const OTHER_ACCOUNT: &str = "111122223333";

const USERS: [&str; 5] = ["minjun.kim", "seoyeon.lee", "hana.park", "deploy-bot", "jisoo.choi"];
const ROLES: [(&str, &str); 4] = [
    ("GameBackend", "i-0a1b2c3d4e5f60718"),
    ("EtlRunner", "nightly-etl"),
    ("AWSReservedSSO_Analyst_5f1e2d3c4b5a6978", "hana.park@example.com"),
    ("LambdaIngest", "ingest-events"),
];
const AGENTS: [&str; 5] = [
    "aws-cli/2.24.7 md/awscrt#0.23.8 ua/2.1 os/linux#6.8.0-1021-aws md/arch#x86_64 lang/python#3.12.9 cfg/retry-mode#standard",
    "Boto3/1.36.26 md/Botocore#1.36.26 ua/2.0 os/linux#6.1.128 lang/python#3.11.11 cfg/retry-mode#legacy",
    "aws-sdk-java/2.30.22 Linux/6.8.0 OpenJDK_64-Bit_Server_VM/21.0.6+7-LTS",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/134.0.0.0 Safari/537.36",
    "APN/1.0 HashiCorp/1.0 Terraform/1.11.0 terraform-provider-aws/5.89.0",
];

/// What a call adds to the envelope.
struct Call {
    source: &'static str,
    name: &'static str,
    read_only: bool,
    /// A call on data (an object, a function) and not on the account's resources.
    data: bool,
    parameters: Option<String>,
    response: Option<String>,
    additional: Option<String>,
    resources: Option<String>,
    error: Option<(&'static str, &'static str)>,
}

impl Call {
    fn new(source: &'static str, name: &'static str, read_only: bool) -> Self {
        let (parameters, response, additional, resources, error) = (None, None, None, None, None);
        Self { source, name, read_only, data: false, parameters, response, additional, resources, error }
    }

    fn parameters(self, object: Object) -> Self {
        Self { parameters: Some(object.end()), ..self }
    }

    fn response(self, object: Object) -> Self {
        Self { response: Some(object.end()), ..self }
    }

    fn additional(self, object: Object) -> Self {
        Self { additional: Some(object.end()), ..self }
    }

    fn resources(self, of: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        let one = |(kind, arn): (&str, String)| {
            Object::new().text("accountId", ACCOUNT).text("type", kind).text("ARN", &arn).end()
        };
        Self { resources: Some(list(of.into_iter().map(one))), ..self }
    }

    fn on_data(self) -> Self {
        Self { data: true, ..self }
    }

    fn fails(self, error: (&'static str, &'static str)) -> Self {
        Self { response: None, error: Some(error), ..self }
    }
}

/// So many records, one a line, in the order of their time.
pub fn records(count: usize) -> Vec<u8> {
    let mut random = Random::new(0x000a_0d17);
    let mut times: Vec<i64> = (0..count).map(|_| DAY_MS + random.between(0, 86_399) * 1_000).collect();
    times.sort_unstable();
    times.into_iter().flat_map(|time_ms| (record(&mut random, time_ms) + "\n").into_bytes()).collect()
}

fn record(random: &mut Random, time_ms: i64) -> String {
    let call = call(random, time_ms);
    let by_service = call.source == "sts.amazonaws.com" && call.name == "AssumeRole" && random.percent(60);
    let service = random.pick(&["ec2.amazonaws.com", "lambda.amazonaws.com"]);
    let (identity, address, agent) = if by_service {
        let identity = Object::new().text("type", "AWSService").text("invokedBy", service).end();
        (identity, service.to_owned(), service)
    } else if call.name == "ConsoleLogin" {
        let user = random.pick(&USERS[..3]);
        (iam_user(random, user, false), address(random), AGENTS[3])
    } else if random.percent(45) {
        let user = random.pick(&USERS);
        (iam_user(random, user, true), address(random), random.pick(&AGENTS))
    } else {
        (assumed_role(random, time_ms), address(random), random.pick(&AGENTS[..3]))
    };
    let region = if call.source == "iam.amazonaws.com" {
        "us-east-1"
    } else {
        random.pick(&["ap-northeast-2", "ap-northeast-2", "ap-northeast-2", "us-east-1", "eu-central-1"])
    };
    let tls = (!by_service && call.name != "ConsoleLogin").then(|| tls_details(random, &call, region));
    let null = || "null".to_owned();
    let mut object = Object::new()
        .text("eventVersion", random.pick(&["1.10", "1.11"]))
        .raw("userIdentity", identity)
        .text("eventTime", &rfc3339(time_ms, false))
        .text("eventSource", call.source)
        .text("eventName", call.name)
        .text("awsRegion", region)
        .text("sourceIPAddress", &address)
        .text("userAgent", agent);
    if let Some((code, message)) = call.error {
        object =
            object.maybe("errorCode", (!code.is_empty()).then(|| text(code))).text("errorMessage", message);
    }
    object
        .raw("requestParameters", call.parameters.unwrap_or_else(null))
        .raw("responseElements", call.response.unwrap_or_else(null))
        .maybe("additionalEventData", call.additional)
        .text("requestID", &random.uuid())
        .text("eventID", &random.uuid())
        .raw("readOnly", call.read_only)
        .maybe("resources", call.resources)
        .text("eventType", if call.name == "ConsoleLogin" { "AwsConsoleSignIn" } else { "AwsApiCall" })
        .raw("managementEvent", !call.data)
        .text("recipientAccountId", ACCOUNT)
        .maybe("sharedEventID", by_service.then(|| text(&random.uuid())))
        .text("eventCategory", if call.data { "Data" } else { "Management" })
        .maybe("tlsDetails", tls)
        .end()
}

fn address(random: &mut Random) -> String {
    let network = random.pick(&["203.0.113", "203.0.113", "198.51.100", "192.0.2"]);
    format!("{network}.{}", random.between(2, 60))
}

fn tls_details(random: &mut Random, call: &Call, region: &str) -> String {
    let service = call.source.trim_end_matches(".amazonaws.com");
    let tls = Object::new()
        .text("tlsVersion", random.pick(&["TLSv1.3", "TLSv1.3", "TLSv1.2"]))
        .text("cipherSuite", "TLS_AES_128_GCM_SHA256");
    tls.text("clientProvidedHostHeader", &format!("{service}.{region}.amazonaws.com")).end()
}

fn iam_user(random: &mut Random, name: &str, with_key: bool) -> String {
    let user = Object::new()
        .text("type", "IAMUser")
        .text("principalId", &format!("AIDA{}", id_of(name)))
        .text("arn", &format!("arn:aws:iam::{ACCOUNT}:user/{name}"))
        .text("accountId", ACCOUNT);
    let key = with_key.then(|| text(&format!("AKIA{}EXAMPLE", random.code(9))));
    user.maybe("accessKeyId", key).text("userName", name).end()
}

fn assumed_role(random: &mut Random, time_ms: i64) -> String {
    let (role, session) = random.pick(&ROLES);
    let principal = format!("AROA{}", id_of(role));
    let issuer = Object::new()
        .text("type", "Role")
        .text("principalId", &principal)
        .text("arn", &format!("arn:aws:iam::{ACCOUNT}:role/{role}"))
        .text("accountId", ACCOUNT)
        .text("userName", role);
    let began_ms = (time_ms - random.between(60, 3_500) * 1_000) / 1_000 * 1_000;
    let attributes =
        Object::new().text("creationDate", &rfc3339(began_ms, false)).text("mfaAuthenticated", "false");
    let context = Object::new().raw("sessionIssuer", issuer.end()).raw("attributes", attributes.end());
    Object::new()
        .text("type", "AssumedRole")
        .text("principalId", &format!("{principal}:{session}"))
        .text("arn", &format!("arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{session}"))
        .text("accountId", ACCOUNT)
        .text("accessKeyId", &format!("ASIA{}EXAMPLE", random.code(9)))
        .raw("sessionContext", context.end())
        .end()
}

/// The id that belongs to a name, the same in each record.
fn id_of(name: &str) -> String {
    let seed = name.bytes().fold(0_u64, |seed, byte| seed.wrapping_mul(31).wrapping_add(u64::from(byte)));
    Random::new(seed).code(17)
}

fn call(random: &mut Random, time_ms: i64) -> Call {
    match random.below(100) {
        0..22 => get_object(random),
        22..32 => put_object(random),
        32..44 => assume_role(random, time_ms),
        44..52 => describe_instances(random),
        52..56 => run_or_stop_instances(random, time_ms),
        56..66 => start_query(random),
        66..76 => decrypt(random),
        76..82 => invoke(random),
        82..87 => console_login(random),
        87..91 => create_log_stream(random),
        91..94 => create_user(random, time_ms),
        94..96 => put_bucket_policy(random),
        _ => Call::new("sts.amazonaws.com", "GetCallerIdentity", true),
    }
}

fn bucket(random: &mut Random) -> &'static str {
    random.pick(&["game-events-raw", "game-events-lake", "corp-backup"])
}

fn bucket_resources(bucket: &str, key: &str) -> [(&'static str, String); 2] {
    [
        ("AWS::S3::Object", format!("arn:aws:s3:::{bucket}/{key}")),
        ("AWS::S3::Bucket", format!("arn:aws:s3:::{bucket}")),
    ]
}

fn object_key(random: &mut Random) -> String {
    let folder = random.pick(&["events", "리포트", "athena-results"]);
    format!("{folder}/dt=2026-03-{:02}/part-{:05}.parquet", random.between(1, 7), random.below(400))
}

fn transfer(random: &mut Random, bytes_in: i64, bytes_out: i64) -> Object {
    Object::new()
        .text("SignatureVersion", "SigV4")
        .text("CipherSuite", "TLS_AES_128_GCM_SHA256")
        .raw("bytesTransferredIn", bytes_in)
        .text("AuthenticationMethod", "AuthHeader")
        .text("x-amz-id-2", &format!("{}=", random.code(43)))
        .raw("bytesTransferredOut", bytes_out)
}

fn get_object(random: &mut Random) -> Call {
    let (bucket, key, bytes) = (bucket(random), object_key(random), random.between(400, 90_000_000));
    let parameters = Object::new()
        .text("bucketName", bucket)
        .text("Host", &format!("{bucket}.s3.ap-northeast-2.amazonaws.com"))
        .text("key", &key);
    let call = Call::new("s3.amazonaws.com", "GetObject", true).parameters(parameters).on_data();
    let call = call.resources(bucket_resources(bucket, &key));
    if random.percent(6) {
        return call.additional(transfer(random, 0, 243)).fails(("AccessDenied", "Access Denied"));
    }
    call.additional(transfer(random, 0, bytes))
}

fn put_object(random: &mut Random) -> Call {
    let (bucket, key, bytes) = (bucket(random), object_key(random), random.between(1_000, 130_000_000));
    let parameters = Object::new()
        .text("bucketName", bucket)
        .text("Host", &format!("{bucket}.s3.ap-northeast-2.amazonaws.com"))
        .text("key", &key)
        .text("x-amz-server-side-encryption", "AES256");
    let call = Call::new("s3.amazonaws.com", "PutObject", false).parameters(parameters).on_data();
    call.response(Object::new().text("x-amz-server-side-encryption", "AES256"))
        .additional(transfer(random, bytes, 0))
        .resources(bucket_resources(bucket, &key))
}

fn assume_role(random: &mut Random, time_ms: i64) -> Call {
    let (role, session) = random.pick(&ROLES);
    let role_arn = format!("arn:aws:iam::{ACCOUNT}:role/{role}");
    let parameters = Object::new()
        .text("roleArn", &role_arn)
        .text("roleSessionName", session)
        .maybe("durationSeconds", random.percent(50).then(|| "3600".to_owned()));
    let credentials = Object::new()
        .text("accessKeyId", &format!("ASIA{}EXAMPLE", random.code(9)))
        .text("sessionToken", "HIDDEN_DUE_TO_SECURITY_REASONS")
        .text("expiration", &expiration(time_ms + 3_600_000));
    let assumed = Object::new()
        .text("assumedRoleId", &format!("AROA{}:{session}", id_of(role)))
        .text("arn", &format!("arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{session}"));
    let response = Object::new().raw("credentials", credentials.end()).raw("assumedRoleUser", assumed.end());
    Call::new("sts.amazonaws.com", "AssumeRole", true)
        .parameters(parameters)
        .response(response)
        .resources([("AWS::IAM::Role", role_arn)])
}

/// CloudTrail's own way to write a time inside a response: `Mar 7, 2026, 10:15:00 AM`.
fn expiration(unix_ms: i64) -> String {
    let iso = rfc3339(unix_ms, false);
    let hour: u32 = iso.get(11..13).and_then(|hour| hour.parse().ok()).unwrap_or(0);
    let day = iso.get(8..10).unwrap_or("").trim_start_matches('0');
    let half = if hour < 12 { "AM" } else { "PM" };
    format!("Mar {day}, 2026, {}{} {half}", (hour + 11) % 12 + 1, iso.get(13..19).unwrap_or(""))
}

fn instance_id(random: &mut Random) -> String {
    format!("i-0{}", random.hex(16))
}

fn describe_instances(random: &mut Random) -> Call {
    let filters = if random.percent(40) {
        let values = list([Object::new().text("value", "running").end()]);
        let filter = Object::new()
            .text("name", "instance-state-name")
            .raw("valueSet", Object::new().raw("items", values).end());
        Object::new().raw("items", list([filter.end()])).end()
    } else {
        Object::new().end()
    };
    let ids = random.percent(40).then(|| {
        let ids =
            (0..random.between(1, 2)).map(|_| Object::new().text("instanceId", &instance_id(random)).end());
        Object::new().raw("items", list(ids.collect::<Vec<_>>())).end()
    });
    let parameters = Object::new()
        .maybe("maxResults", random.percent(50).then(|| "1000".to_owned()))
        .raw("instancesSet", ids.unwrap_or_else(|| Object::new().end()))
        .raw("filterSet", filters);
    Call::new("ec2.amazonaws.com", "DescribeInstances", true).parameters(parameters)
}

fn run_or_stop_instances(random: &mut Random, time_ms: i64) -> Call {
    let id = instance_id(random);
    let state = |code: i64, name: &str| Object::new().raw("code", code).text("name", name).end();
    if random.percent(50) {
        let items = list([Object::new().text("instanceId", &id).end()]);
        let changed = Object::new()
            .text("instanceId", &id)
            .raw("currentState", state(64, "stopping"))
            .raw("previousState", state(16, "running"));
        let set = Object::new().raw("items", list([changed.end()])).end();
        let parameters =
            Object::new().raw("instancesSet", Object::new().raw("items", items).end()).raw("force", false);
        let response = Object::new().text("requestId", &random.uuid()).raw("instancesSet", set);
        let call = Call::new("ec2.amazonaws.com", "StopInstances", false).parameters(parameters);
        return call.response(response);
    }
    let kind = random.pick(&["m7g.large", "c7g.xlarge", "t4g.small"]);
    let image = format!("ami-0{}", random.hex(16));
    let wanted = Object::new().text("imageId", &image).raw("minCount", 1).raw("maxCount", 1);
    let tags = [("Name", "game-server"), ("owner", "민준")];
    let tags = tags.map(|(key, value)| Object::new().text("key", key).text("value", value).end());
    let tag_set = Object::new().text("resourceType", "instance").raw("tags", list(tags));
    let parameters = Object::new()
        .raw("instancesSet", Object::new().raw("items", list([wanted.end()])).end())
        .text("instanceType", kind)
        .raw("monitoring", Object::new().raw("enabled", true).end())
        .raw("disableApiTermination", false)
        .raw("tagSpecificationSet", Object::new().raw("items", list([tag_set.end()])).end());
    let made = Object::new()
        .text("instanceId", &id)
        .text("imageId", &image)
        .raw("currentState", state(0, "pending"))
        .text("instanceType", kind)
        .raw("launchTime", time_ms)
        .text("privateIpAddress", &format!("10.0.{}.{}", random.between(0, 15), random.between(4, 250)));
    let response = Object::new()
        .text("requestId", &random.uuid())
        .text("reservationId", &format!("r-0{}", random.hex(16)))
        .text("ownerId", ACCOUNT)
        .raw("instancesSet", Object::new().raw("items", list([made.end()])).end());
    let call = Call::new("ec2.amazonaws.com", "RunInstances", false).parameters(parameters);
    if random.percent(15) {
        return call
            .fails(("Client.UnauthorizedOperation", "You are not authorized to perform this operation."));
    }
    call.response(response)
}

fn start_query(random: &mut Random) -> Call {
    let query = random.pick(&[
        "SELECT type, count(*) FROM events WHERE day(event_time) = date '2026-03-06' GROUP BY type",
        "SELECT geo.city, approx_distinct(user_id)\nFROM events\nGROUP BY 1 ORDER BY 2 DESC LIMIT 10",
        "SELECT * FROM events WHERE message LIKE '%안녕%'",
    ]);
    let context = Object::new().text("database", "game").text("catalog", "AwsDataCatalog");
    let parameters = Object::new()
        .text("queryString", query)
        .text("clientRequestToken", &random.uuid())
        .raw("queryExecutionContext", context.end())
        .text("workGroup", random.pick(&["primary", "analysts"]));
    Call::new("athena.amazonaws.com", "StartQueryExecution", false)
        .parameters(parameters)
        .response(Object::new().text("queryExecutionId", &random.uuid()))
}

fn decrypt(random: &mut Random) -> Call {
    let name = random.pick(&["db-password", "kakao-client-secret", "push-key"]);
    let parameter = format!("arn:aws:ssm:ap-northeast-2:{ACCOUNT}:parameter/prod/{name}");
    let parameters = Object::new()
        .raw("encryptionContext", Object::new().text("PARAMETER_ARN", &parameter).end())
        .text("encryptionAlgorithm", "SYMMETRIC_DEFAULT");
    let key = format!("arn:aws:kms:ap-northeast-2:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab");
    let call = Call::new("kms.amazonaws.com", "Decrypt", true).parameters(parameters);
    let call = call.resources([("AWS::KMS::Key", key)]);
    if random.percent(8) {
        return call.fails((
            "AccessDenied",
            "The ciphertext refers to a key that does not exist or cannot be used.",
        ));
    }
    call
}

fn invoke(random: &mut Random) -> Call {
    let function = random.pick(&["ingest-events", "daily-report", "notify-guild"]);
    let arn = format!("arn:aws:lambda:ap-northeast-2:{ACCOUNT}:function:{function}");
    let parameters = Object::new()
        .text("functionName", &arn)
        .text("invocationType", random.pick(&["Event", "RequestResponse"]))
        .maybe("sourceArn", random.percent(30).then(|| text(&format!("arn:aws:events:::rule/{function}"))));
    Call::new("lambda.amazonaws.com", "Invoke", false)
        .parameters(parameters)
        .additional(Object::new().text("functionVersion", &format!("{arn}:$LATEST")))
        .resources([("AWS::Lambda::Function", arn)])
        .on_data()
}

fn console_login(random: &mut Random) -> Call {
    let mfa = if random.percent(70) { "Yes" } else { "No" };
    let additional = Object::new()
        .text("LoginTo", "https://console.aws.amazon.com/console/home?hashArgs=%23&isauthcode=true")
        .text("MobileVersion", "No")
        .text("MFAUsed", mfa);
    let failed = random.percent(20);
    let outcome = Object::new().text("ConsoleLogin", if failed { "Failure" } else { "Success" });
    let call =
        Call::new("signin.amazonaws.com", "ConsoleLogin", false).additional(additional).response(outcome);
    // A failed login has its outcome among the response elements, and a message without a code.
    Call { error: failed.then_some(("", "Failed authentication")), ..call }
}

fn create_log_stream(random: &mut Random) -> Call {
    let group = random.pick(&["/aws/lambda/ingest-events", "/game/kr-1/server"]);
    let stream = format!("2026/03/07/[$LATEST]{}", random.hex(32));
    let parameters = Object::new().text("logGroupName", group).text("logStreamName", &stream);
    let call = Call::new("logs.amazonaws.com", "CreateLogStream", false).parameters(parameters);
    if random.percent(12) {
        return call.fails(("ResourceAlreadyExistsException", "The specified log stream already exists"));
    }
    call
}

fn create_user(random: &mut Random, time_ms: i64) -> Call {
    let name = format!("contractor-{}", random.between(1, 99));
    let team = random.pick(&["데이터", "platform"]);
    let tags = list([Object::new().text("key", "team").text("value", team).end()]);
    let user = Object::new()
        .text("path", "/")
        .text("arn", &format!("arn:aws:iam::{ACCOUNT}:user/{name}"))
        .text("userId", &format!("AIDA{}", id_of(&name)))
        .text("createDate", &expiration(time_ms))
        .text("userName", &name);
    Call::new("iam.amazonaws.com", "CreateUser", false)
        .parameters(Object::new().text("userName", &name).raw("tags", tags))
        .response(Object::new().raw("user", user.end()))
}

fn put_bucket_policy(random: &mut Random) -> Call {
    let bucket = bucket(random);
    let principal = Object::new().text("AWS", &format!("arn:aws:iam::{OTHER_ACCOUNT}:root"));
    let statement = Object::new()
        .text("Effect", "Allow")
        .raw("Principal", principal.end())
        .raw("Action", texts(["s3:GetObject"]))
        .text("Resource", &format!("arn:aws:s3:::{bucket}/*"));
    let policy = Object::new().text("Version", "2012-10-17").raw("Statement", list([statement.end()]));
    let parameters = Object::new()
        .text("bucketName", bucket)
        .text("Host", "s3.ap-northeast-2.amazonaws.com")
        .raw("bucketPolicy", policy.end());
    Call::new("s3.amazonaws.com", "PutBucketPolicy", false)
        .parameters(parameters)
        .resources([("AWS::S3::Bucket", format!("arn:aws:s3:::{bucket}"))])
}
