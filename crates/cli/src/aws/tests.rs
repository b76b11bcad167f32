//! Profiles as `aws configure` and people write them.

use std::path::Path;

use super::*;

const CONFIG: &str = "[default]
region = us-west-2
[profile game]
region=ap-northeast-2
s3 =
  region = no
  addressing_style = path
endpoint_url = http://127.0.0.1:9000
[profile \"by sso\"]
sso_session = company
[profile program]
credential_process = /bin/false
[profile role]
role_arn = arn:aws:iam::1:role/x
source_profile = default
[profile token]
role_arn = arn:aws:iam::1:role/x
web_identity_token_file = /var/token
[profile local]
services = near
aws_access_key_id = three
aws_secret_access_key = secret-three
endpoint_url = http://all
[services near]
dynamodb =
  endpoint_url = http://no
s3 =
  endpoint_url = http://near
[sso-session company]
sso_region = us-east-1
";

fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join(".aws");
    fs::create_dir(&folder).unwrap();
    let credentials = "[default]\naws_access_key_id = one\naws_secret_access_key=secret-one\n\n\
                       [ game ] ; ours\naws_access_key_id = two\naws_secret_access_key = secret-two # new\n\
                       aws_session_token = token\n";
    fs::write(folder.join("credentials"), credentials).unwrap();
    fs::write(folder.join("config"), CONFIG).unwrap();
    home
}

fn with(home: &Path, variables: &[(&str, &str)]) -> Aws {
    let home = home.display().to_string();
    let variables = variables.iter().copied().chain([(env::HOME, home.as_str())]);
    read(&Environment::made_up(Path::new("/"), variables))
}

fn profile(name: &str) -> Aws {
    with(home().path(), &[(env::AWS_PROFILE, name)])
}

fn value(aws: &Aws, name: &str) -> Option<String> {
    aws.pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
}

#[test]
fn a_profile_is_read_from_both_files() {
    let game = profile("game");
    assert_eq!(value(&game, env::AWS_ACCESS_KEY_ID).as_deref(), Some("two"));
    assert_eq!(value(&game, env::AWS_SECRET_ACCESS_KEY).as_deref(), Some("secret-two"));
    assert_eq!(value(&game, env::AWS_SESSION_TOKEN).as_deref(), Some("token"));
    assert_eq!(value(&game, env::AWS_REGION).as_deref(), Some("ap-northeast-2"));
    assert_eq!(value(&game, env::AWS_VIRTUAL_HOSTED_STYLE_REQUEST).as_deref(), Some("false"));
    assert_eq!(game.endpoint.as_deref(), Some("http://127.0.0.1:9000"));
    assert_eq!(game.trouble, None);
    let default = with(home().path(), &[]);
    assert_eq!(value(&default, env::AWS_ACCESS_KEY_ID).as_deref(), Some("one"));
    assert_eq!(value(&default, env::AWS_REGION).as_deref(), Some("us-west-2"));
}

#[test]
fn keys_of_the_environment_win_whole() {
    let variables = [
        (env::AWS_ACCESS_KEY_ID, "mine"),
        (env::AWS_SECRET_ACCESS_KEY, "my-secret"),
        (env::AWS_PROFILE, "game"),
        (env::AWS_DEFAULT_REGION, "eu-west-1"),
        (env::AWS_ENDPOINT_URL, "http://all"),
        (env::AWS_ENDPOINT_URL_S3, "http://s3"),
    ];
    let found = with(home().path(), &variables);
    assert_eq!(value(&found, env::AWS_ACCESS_KEY_ID).as_deref(), Some("mine"));
    assert_eq!(value(&found, env::AWS_SESSION_TOKEN), None);
    assert_eq!(value(&found, env::AWS_REGION).as_deref(), Some("eu-west-1"));
    assert_eq!(found.endpoint.as_deref(), Some("http://s3"));
}

#[test]
fn half_a_set_of_variables_is_not_mixed_with_the_profile() {
    let variables = [(env::AWS_ACCESS_KEY_ID, "mine"), (env::AWS_SESSION_TOKEN, "mine too")];
    let found = with(home().path(), &variables);
    assert_eq!(value(&found, env::AWS_ACCESS_KEY_ID).as_deref(), Some("one"));
    assert_eq!(value(&found, env::AWS_SESSION_TOKEN), None);
}

#[test]
fn an_unknown_profile_is_told_with_those_there_are() {
    let trouble = profile("gmae").trouble.unwrap();
    assert!(trouble.contains("`gmae`") && trouble.contains("`game`, `local`"), "{trouble}");
    assert!(!trouble.contains("company") && !trouble.contains("near"), "{trouble}");
    let keys =
        [(env::AWS_ACCESS_KEY_ID, "mine"), (env::AWS_SECRET_ACCESS_KEY, "my"), (env::AWS_PROFILE, "gmae")];
    assert!(with(home().path(), &keys).trouble.is_some(), "its endpoint may have been meant");
    let trouble = with(Path::new("/nowhere"), &[(env::AWS_PROFILE, "x")]).trouble.unwrap();
    assert!(trouble.ends_with("are: none"), "{trouble}");
}

#[test]
fn a_profile_without_keys_says_how_to_get_them() {
    for (name, how) in [("by sso", "by SSO"), ("program", "from a program"), ("role", "by taking a role")] {
        let trouble = profile(name).trouble.unwrap();
        let command = format!("aws configure export-credentials --profile {name} --format env");
        assert!(trouble.contains(how) && trouble.contains(&command), "{trouble}");
    }
    let keys =
        [(env::AWS_ACCESS_KEY_ID, "mine"), (env::AWS_SECRET_ACCESS_KEY, "my"), (env::AWS_PROFILE, "role")];
    assert_eq!(with(home().path(), &keys).trouble, None);
    let token = profile("token");
    assert_eq!(token.trouble, None);
    assert_eq!(value(&token, "AWS_WEB_IDENTITY_TOKEN_FILE").as_deref(), Some("/var/token"));
    assert_eq!(value(&token, "AWS_ROLE_ARN").as_deref(), Some("arn:aws:iam::1:role/x"));
}

#[test]
fn endpoints_of_services_and_those_to_be_ignored() {
    assert_eq!(profile("local").endpoint.as_deref(), Some("http://near"));
    let variables = [
        (env::AWS_PROFILE, "local"),
        (env::AWS_ENDPOINT_URL, "http://all"),
        (env::AWS_IGNORE_CONFIGURED_ENDPOINT_URLS, "true"),
    ];
    let ignoring = with(home().path(), &variables);
    assert_eq!((ignoring.endpoint.as_deref(), value(&ignoring, env::AWS_ENDPOINT_URL)), (None, None));
}

#[test]
fn certificates_are_read_from_their_file() {
    let home = home();
    let path = home.path().join("ca.pem").display().to_string();
    let missing = with(home.path(), &[(env::AWS_CA_BUNDLE, &path)]);
    assert!(missing.trouble.unwrap().contains("ca.pem"));
    fs::write(&path, "PEM").unwrap();
    assert_eq!(with(home.path(), &[(env::AWS_CA_BUNDLE, &path)]).certificates.as_deref(), Some(&b"PEM"[..]));
}

#[test]
fn no_files_are_no_error() {
    let none = with(Path::new("/nowhere"), &[]);
    assert!(none.pairs.is_empty() && none.trouble.is_none());
}
