use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::{HOUR, Stage, fields, form, header};
use crate::forward::config::{Auth, Secret};
use crate::forward::credentials::{AzureAdConfig, AzureCloud, AzureIdentity};
use crate::forward::tests::loopback::{Answer, Request, Server};

const CLIENT: &str = "11111111-1111-1111-1111-111111111111";
const TENANT: &str = "22222222-2222-2222-2222-222222222222";
const PUBLIC: &str = "https://monitor.azure.com//.default";

fn auth(identity: AzureIdentity) -> Auth {
    Auth::AzureAd(Box::new(AzureAdConfig {
        cloud: AzureCloud::Public,
        identity,
        scope: None,
    }))
}

fn application() -> AzureIdentity {
    AzureIdentity::Application {
        client_id: CLIENT.to_owned(),
        client_secret: Secret::Inline("se&cret".to_owned()),
        tenant_id: TENANT.to_owned(),
    }
}

fn token(given: &AtomicU32) -> Answer {
    let number = given.fetch_add(1, Ordering::SeqCst) + 1;
    let token = format!(r#"{{"token_type":"Bearer","expires_in":3599,"access_token":"entra-{number}"}}"#);
    Answer::status(200).saying(&token)
}

/// Entra: knows one application by its secret or by a token of its workload.
fn entra(request: &Request, scope: &str, given: &AtomicU32) -> Answer {
    let form = form(request);
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    let workload = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    let known = match field("client_assertion_type") {
        "" => field("client_secret") == "se&cret" && form.len() == 4,
        kind => kind == workload && field("client_assertion") == "pod-token" && form.len() == 5,
    };
    let whole = request.target == format!("/{TENANT}/oauth2/v2.0/token")
        && field("grant_type") == "client_credentials"
        && field("client_id") == CLIENT
        && field("scope") == scope;
    match known && whole {
        true => token(given),
        false => Answer::status(401)
            .saying(r#"{"error":"invalid_client","error_description":"AADSTS7000215: wrong"}"#),
    }
}

async fn entra_for(scope: &'static str) -> Server {
    let given = AtomicU32::new(0);
    Server::start(move |request| entra(request, scope, &given)).await
}

/// The machine's service; takes an identity only if it is the one that is expected.
async fn machine(client: Option<&'static str>) -> Server {
    let given = AtomicU32::new(0);
    Server::start(move |request| {
        let (path, query) = request.target.split_once('?').unwrap();
        let query = fields(query);
        let field = |name: &str| query.get(name).map(String::as_str);
        let whole = path == "/metadata/identity/oauth2/token"
            && field("api-version") == Some("2018-02-01")
            && field("resource") == Some("https://monitor.azure.com/")
            && field("client_id") == client;
        match (header(request, "metadata"), whole) {
            (Some("true"), true) => token(&given),
            _ => Answer::status(400)
                .saying(r#"{"error":"invalid_request","error_description":"Identity not found"}"#),
        }
    })
    .await
}

#[tokio::test]
async fn an_application_proves_itself_by_its_secret_once_an_hour() {
    let entra = entra_for(PUBLIC).await;
    let stage = Stage::new(&auth(application()), &[("AZURE_AUTHORITY_HOST", &entra.url("/"))]);

    let first = [stage.authorization().await, stage.authorization().await];
    stage.clock.advance(HOUR - Duration::from_secs(250));
    let renewed = stage.authorization().await;

    assert_eq!(first, ["Bearer entra-1", "Bearer entra-1"]);
    assert_eq!(renewed, "Bearer entra-2");
}

#[tokio::test]
async fn a_wrong_secret_is_told_in_the_words_of_entra_and_mended_without_a_restart() {
    let entra = entra_for(PUBLIC).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, "old secret").unwrap();
    let identity = AzureIdentity::Application {
        client_id: CLIENT.to_owned(),
        client_secret: Secret::File(file.clone()),
        tenant_id: TENANT.to_owned(),
    };
    let stage = Stage::new(&auth(identity), &[("AZURE_AUTHORITY_HOST", &entra.url(""))]);
    let before = stage.failure().await;

    std::fs::write(&file, "se&cret\n").unwrap();
    stage.clock.advance(Duration::from_secs(1));
    let after = stage.authorization().await;

    assert!(before.starts_with("Microsoft Entra at http://"), "{before}");
    assert!(
        before.ends_with("refused with 401: invalid_client: AADSTS7000215: wrong"),
        "{before}"
    );
    assert_eq!(after, "Bearer entra-1");
}

#[tokio::test]
async fn each_cloud_has_its_audience_and_a_scope_of_its_own_stands_before_it() {
    let scopes = [
        (AzureCloud::China, None, "https://monitor.azure.cn//.default"),
        (AzureCloud::Government, None, "https://monitor.azure.us//.default"),
        (
            AzureCloud::Public,
            Some("https://mine/.default"),
            "https://mine/.default",
        ),
    ];
    for (cloud, scope, expected) in scopes {
        let entra = entra_for(expected).await;
        let config = AzureAdConfig {
            cloud,
            identity: application(),
            scope: scope.map(str::to_owned),
        };
        let variables = [("AZURE_AUTHORITY_HOST", entra.url(""))];
        let variables = variables.each_ref().map(|(name, value)| (*name, value.as_str()));

        let authorization = Stage::new(&Auth::AzureAd(Box::new(config)), &variables)
            .authorization()
            .await;

        assert_eq!(authorization, "Bearer entra-1", "{expected}");
    }
}

#[tokio::test]
async fn a_workload_shows_the_token_of_its_service_account() {
    let entra = entra_for(PUBLIC).await;
    let folder = tempfile::tempdir().unwrap();
    let token_file = folder.path().join("token");
    std::fs::write(&token_file, "pod-token\n").unwrap();
    let identity = AzureIdentity::Workload {
        client_id: CLIENT.to_owned(),
        tenant_id: TENANT.to_owned(),
        token_file,
    };

    let stage = Stage::new(&auth(identity), &[("AZURE_AUTHORITY_HOST", &entra.url(""))]);

    assert_eq!(stage.authorization().await, "Bearer entra-1");
}

#[tokio::test]
async fn a_machine_asks_as_the_identity_that_is_named_or_as_its_own() {
    for client in [None, Some(CLIENT)] {
        let machine = machine(client).await;
        let identity = AzureIdentity::Managed {
            client_id: client.map(str::to_owned),
        };
        let variables = [("AZURE_POD_IDENTITY_AUTHORITY_HOST", machine.url("/"))];
        let variables = variables.each_ref().map(|(name, value)| (*name, value.as_str()));
        let stage = Stage::new(&auth(identity), &variables);

        let authorizations = [stage.authorization().await, stage.authorization().await];

        assert_eq!(authorizations, ["Bearer entra-1", "Bearer entra-1"]);
    }
}

#[tokio::test]
async fn app_service_is_asked_with_its_header_and_tells_when_a_token_ends() {
    let service = Server::start(|request| {
        let (path, query) = request.target.split_once('?').unwrap();
        let versioned = fields(query)
            .get("api-version")
            .is_some_and(|version| version == "2019-08-01");
        match header(request, "x-identity-header") {
            Some("app-header") if path == "/msi/token" && versioned => Answer::status(200)
                .saying(r#"{"access_token":"app","expires_on":"1772370000","token_type":"Bearer"}"#),
            _ => Answer::status(401),
        }
    })
    .await;
    let variables = [
        ("IDENTITY_ENDPOINT", service.url("/msi/token")),
        ("IDENTITY_HEADER", "app-header".to_owned()),
    ];
    let variables = variables.each_ref().map(|(name, value)| (*name, value.as_str()));
    let stage = Stage::new(&auth(AzureIdentity::Managed { client_id: None }), &variables);

    let first = stage.authorization().await;
    stage.clock.advance(HOUR - Duration::from_secs(451));
    stage.authorization().await;
    let before_its_end = service.requests().len();
    stage.clock.advance(Duration::from_secs(152));
    stage.authorization().await;

    assert_eq!(first, "Bearer app");
    assert_eq!((before_its_end, service.requests().len()), (1, 2));
}

#[tokio::test]
async fn the_environment_offers_an_application_a_workload_or_the_machine() {
    let (entra, machine) = (entra_for(PUBLIC).await, machine(Some(CLIENT)).await);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "pod-token").unwrap();
    let (entra_url, machine_url) = (entra.url(""), machine.url(""));
    let common = [
        ("AZURE_CLIENT_ID", CLIENT),
        ("AZURE_AUTHORITY_HOST", entra_url.as_str()),
        ("AZURE_POD_IDENTITY_AUTHORITY_HOST", machine_url.as_str()),
    ];
    let with = |more: (&'static str, &str)| {
        let variables = [common.as_slice(), &[more]].concat();
        let tenant_id = Some(TENANT.to_owned());
        Stage::new(&auth(AzureIdentity::Environment { tenant_id }), &variables)
    };

    let application = with(("AZURE_CLIENT_SECRET", "se&cret")).authorization().await;
    let workload = with(("AZURE_FEDERATED_TOKEN_FILE", file.to_str().unwrap()))
        .authorization()
        .await;
    let of_machine = with(("UNRELATED", "x")).authorization().await;

    assert_eq!(
        (application.as_str(), workload.as_str()),
        ("Bearer entra-1", "Bearer entra-2")
    );
    assert_eq!(
        (of_machine.as_str(), entra.requests().len()),
        ("Bearer entra-1", 2)
    );
}

#[tokio::test]
async fn the_proxy_of_the_environment_is_used_for_tokens_but_not_for_the_machine() {
    let proxy = Server::start(|_| Answer::status(403)).await;
    let machine = machine(None).await;
    let (proxy_url, machine_url) = (proxy.url(""), machine.url(""));
    let variables = [
        ("HTTPS_PROXY", proxy_url.as_str()),
        ("AZURE_POD_IDENTITY_AUTHORITY_HOST", machine_url.as_str()),
    ];
    let identity = AzureIdentity::Managed { client_id: None };

    let failure = Stage::new(&auth(application()), &variables).failure().await;
    let of_machine = Stage::new(&auth(identity), &variables).authorization().await;

    let requests = proxy.requests();
    let asked = (requests[0].method.as_str(), requests[0].target.as_str());
    assert_eq!(
        (asked, requests.len()),
        (("CONNECT", "login.microsoftonline.com:443"), 1)
    );
    assert!(
        failure.starts_with("no answer from Microsoft Entra at https://login.microsoftonline.com/"),
        "{failure}"
    );
    assert_eq!(of_machine, "Bearer entra-1");
}
