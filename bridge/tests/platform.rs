//! The reference receiver: what it takes, what it refuses and how, and that `openapi.json` tells the truth.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod common;
mod schema;

use std::collections::BTreeSet;
use std::path::Path;

use bridge::event::{BATCH_MEDIA_TYPE, MEDIA_TYPE};
use bridge::platform::{Platform, PlatformSettings, openapi};
use bridge::{Courier, Destination, RetryPolicy, Store};
use serde_json::{Value, json};
use tokio::sync::oneshot;

struct Served {
    base: String,
    client: reqwest::Client,
    stop: Option<oneshot::Sender<()>>,
    task: tokio::task::JoinHandle<()>,
    _dir: tempfile::TempDir,
}

impl Served {
    async fn start(body_limit: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut settings = PlatformSettings::new(dir.path().join("platform.db"));
        settings.bind.set_port(0);
        settings.body_limit = body_limit;
        let platform = Platform::bind(&settings).await.unwrap();
        let base = format!("http://{}", platform.address());
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(async move {
            let stopped = async {
                let _ = stopped.await;
            };
            platform.serve(stopped).await.unwrap();
        });
        // The courier installs the TLS provider that a bare client needs too.
        let store = Store::open(dir.path().join("results.db")).unwrap();
        Courier::new(store, &Destination::new(format!("{base}/api/v1/events")), RetryPolicy::default())
            .unwrap();
        Self { base, client: reqwest::Client::new(), stop: Some(stop), task, _dir: dir }
    }

    async fn post(&self, media: &str, key: Option<&str>, body: impl Into<reqwest::Body>) -> (u16, Value) {
        let mut request =
            self.client.post(format!("{}/api/v1/events", self.base)).header("content-type", media).body(body);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        answer(request.send().await.unwrap()).await
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        answer(self.client.get(format!("{}{path}", self.base)).send().await.unwrap()).await
    }

    async fn page(&self, path: &str) -> String {
        self.client.get(format!("{}{path}", self.base)).send().await.unwrap().text().await.unwrap()
    }
}

/// Checks what every answer must keep: refusals are problem details.
async fn answer(response: reqwest::Response) -> (u16, Value) {
    let code = response.status().as_u16();
    let media = response.headers()["content-type"].to_str().unwrap().to_owned();
    let body: Value = response.json().await.unwrap();
    if code >= 400 {
        assert_eq!(media, "application/problem+json");
        assert_eq!(body["status"], code);
    }
    (code, body)
}

/// The events of a made-up run, as a courier sends them.
fn events(seed: u64) -> Vec<Value> {
    let (audit, facts) = common::audit(&common::site(1, 2), 20, 0.06, seed);
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("results.db");
    Store::open(&db).unwrap().record(&facts, &audit).unwrap();
    bodies(&db)
}

fn bodies(db: &Path) -> Vec<Value> {
    let connection = rusqlite::Connection::open(db).unwrap();
    let mut statement = connection.prepare("SELECT body FROM outbox ORDER BY seq").unwrap();
    let rows = statement.query_map([], |r| r.get::<_, String>(0)).unwrap();
    rows.map(|b| serde_json::from_str(&b.unwrap()).unwrap()).collect()
}

#[test]
fn our_events_are_cloudevents() {
    let path = std::env::var("SHELFWRIGHT_SHARED")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared").into());
    let path = Path::new(&path).join("contracts/cloudevents/cloudevents/formats/cloudevents.json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("SKIPPED: no CloudEvents schema at {}", path.display());
        return;
    };
    let cloudevents: Value = serde_json::from_str(&text).unwrap();
    let (audit, mut facts) = common::audit(&common::site(1, 2), 20, 0.06, 3);
    facts.wall_started_ns = Some(1_795_466_467_250_000_000);
    facts.site = "图书馆 东区/1".into();
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("results.db");
    Store::open(&db).unwrap().record(&facts, &audit).unwrap();
    let ours = openapi();
    for event in bodies(&db) {
        schema::check(&cloudevents, &cloudevents, &event, "event").unwrap();
        schema::check(&ours, &json!({ "$ref": "#/components/schemas/Event" }), &event, "event").unwrap();
        assert_eq!(event["time"], "2026-11-23T20:47:59.250Z");
        let source = event["source"].as_str().unwrap();
        assert!(source.is_ascii() && !source.contains(' '), "{source}");
    }
}

#[tokio::test]
async fn an_event_sent_twice_is_kept_once() {
    let served = Served::start(1 << 20).await;
    let events = events(1);
    let one = &events[0];
    let id = one["id"].as_str().unwrap();
    assert_eq!(served.post(MEDIA_TYPE, Some(id), one.to_string()).await.0, 201);
    let (code, body) = served.post(MEDIA_TYPE, Some(id), one.to_string()).await;
    assert_eq!((code, body), (200, json!({ "accepted": 0, "duplicates": 1 })));

    let batch = Value::Array(events.clone()).to_string();
    let (code, body) = served.post(BATCH_MEDIA_TYPE, None, batch.clone()).await;
    assert_eq!((code, &body), (201, &json!({ "accepted": events.len() - 1, "duplicates": 1 })));
    assert_eq!(served.post(BATCH_MEDIA_TYPE, None, batch).await.0, 200);
    let (_, page) = served.get("/api/v1/shelf-errors").await;
    assert_eq!(page["total"], events.len() - 1);
    assert_eq!(served.get("/healthz").await, (200, json!({ "status": "ok", "runs": 1 })));
}

#[tokio::test]
async fn a_key_used_for_another_content_is_refused() {
    let served = Served::start(1 << 20).await;
    let mut event = events(1)[1].clone();
    assert_eq!(served.post(MEDIA_TYPE, None, event.to_string()).await.0, 201);
    event["data"]["number"] = json!(99);
    let (code, problem) = served.post(MEDIA_TYPE, None, event.to_string()).await;
    assert_eq!(code, 422);
    assert!(problem["detail"].as_str().unwrap().contains("another content"), "{problem}");
}

#[tokio::test]
async fn a_batch_is_kept_whole_or_not_at_all() {
    let served = Served::start(1 << 20).await;
    let mut batch = events(1);
    let last = batch.len() - 1;
    batch[last]["data"]["finding"]["kind"] = json!("stolen");
    let (code, problem) = served.post(BATCH_MEDIA_TYPE, None, Value::Array(batch).to_string()).await;
    assert_eq!(code, 422);
    assert_eq!(problem["pointer"], format!("/{last}/data"));
    assert!(problem["detail"].as_str().unwrap().contains("stolen"), "{problem}");
    assert_eq!(served.get("/api/v1/runs").await.1["total"], 0);
}

#[tokio::test]
async fn bad_input_is_refused_with_what_was_found_and_what_is_allowed() {
    let served = Served::start(64 << 10).await;
    let good = events(1)[1].clone();
    let with = |field: &str, value: Value| {
        let mut event = good.clone();
        event[field] = value;
        event.to_string()
    };
    let without = |field: &str| {
        let mut event = good.clone();
        event.as_object_mut().unwrap().remove(field);
        event.to_string()
    };
    let cases: Vec<(&str, Option<&str>, String, u16, &str)> = vec![
        (MEDIA_TYPE, None, "{\"specversion\":".into(), 400, "line 1 column"),
        (MEDIA_TYPE, None, "7".into(), 400, "found a number"),
        (MEDIA_TYPE, None, without("id"), 400, "id: found nothing"),
        (MEDIA_TYPE, None, with("source", json!("")), 400, "source: found an empty text"),
        (MEDIA_TYPE, None, with("specversion", json!("0.3")), 422, "found \"0.3\""),
        (MEDIA_TYPE, None, with("type", json!("org.other")), 422, "org.shelfwright.shelf_error.v1"),
        (MEDIA_TYPE, None, with("data", json!({})), 422, "missing field"),
        (MEDIA_TYPE, Some("other-key"), good.to_string(), 400, "expected the same"),
        ("text/plain", None, good.to_string(), 415, "found \"text/plain\""),
        (MEDIA_TYPE, None, format!("\"{}\"", "x".repeat(70 << 10)), 413, ""),
    ];
    for (media, key, body, code, says) in cases {
        let start: String = body.chars().take(60).collect();
        let (found, problem) = served.post(media, key, body).await;
        assert_eq!(found, code, "{start}: {problem}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(says), "{detail:?} should say {says:?}");
    }
    for (path, code, says) in [
        ("/api/v1/runs?limit=0", 400, "expected 1 to 1000"),
        ("/api/v1/runs?order=up", 400, "order"),
        ("/api/v1/shelf-errors?kind=stolen", 400, "misplaced_row"),
        ("/api/v1/shelf-errors?min_confidence=1.5", 400, "expected 0 to 1"),
        ("/api/v1/shelf-errors?cursor=x", 400, ""),
        ("/api/v2/runs", 404, "/api/v2/runs"),
        ("/api/v1/events", 405, ""),
    ] {
        let (found, problem) = served.get(path).await;
        assert_eq!(found, code, "{path}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains(says), "{path}: {problem}");
    }
}

#[tokio::test]
async fn lists_are_paged_without_gaps_and_filtered() {
    let served = Served::start(8 << 20).await;
    let mut sent = 0;
    for seed in 1..=3 {
        let batch = events(seed);
        sent += batch.len() - 1;
        assert_eq!(served.post(BATCH_MEDIA_TYPE, None, Value::Array(batch).to_string()).await.0, 201);
    }
    let mut seen = BTreeSet::new();
    let mut order = Vec::new();
    let mut cursor = String::new();
    loop {
        let (_, page) = served.get(&format!("/api/v1/shelf-errors?limit=7{cursor}")).await;
        assert_eq!(page["total"], sent);
        for item in page["items"].as_array().unwrap() {
            assert!(seen.insert(item["cursor"].as_i64().unwrap()), "twice: {item}");
            order.push((item["run"].as_str().unwrap().to_owned(), item["number"].as_u64().unwrap()));
        }
        match page["next"].as_i64() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), sent);
    assert_eq!(order[0], ("demo-3".into(), 1), "the latest run first");

    let (_, all) = served.get("/api/v1/shelf-errors?run=demo-2&limit=1000").await;
    let kind = all["items"][0]["finding"]["kind"].as_str().unwrap();
    let (_, page) = served.get(&format!("/api/v1/shelf-errors?run=demo-2&kind={kind}&limit=1000")).await;
    let items = page["items"].as_array().unwrap();
    assert_eq!(page["total"], items.len());
    assert!(!items.is_empty());
    for item in items {
        assert_eq!((item["run"].as_str(), item["finding"]["kind"].as_str()), (Some("demo-2"), Some(kind)));
        let barcode = item["finding"]["item"]["barcode"].as_str().unwrap();
        let (_, by_barcode) = served.get(&format!("/api/v1/shelf-errors?barcode={barcode}")).await;
        assert!(by_barcode["total"].as_u64().unwrap() >= 1);
    }
    let (_, first) = served.get("/api/v1/runs?limit=2").await;
    let (_, second) = served.get(&format!("/api/v1/runs?limit=2&cursor={}", first["next"])).await;
    assert_eq!((first["items"].as_array().unwrap().len(), second["items"].as_array().unwrap().len()), (2, 1));
}

#[tokio::test]
async fn a_title_cannot_run_as_a_script_on_the_page() {
    let served = Served::start(1 << 20).await;
    let mut event = events(1)[1].clone();
    event["data"]["finding"]["item"]["title"] = json!("<script>alert(1)</script>");
    event["data"]["run"] = json!("\"><img src=x onerror=alert(1)>");
    assert_eq!(served.post(MEDIA_TYPE, None, event.to_string()).await.0, 201);
    let html = served.page("/").await;
    assert!(html.contains("&lt;script&gt;alert(1)"));
    assert!(!html.contains("<script") && !html.contains("<img"), "{html}");
    let html = served.page("/?run=%22%3E%3Cimg%20src=x%3E").await;
    assert!(!html.contains("<img"));
}

#[tokio::test]
async fn it_stops_when_told_and_keeps_what_it_took() {
    let mut served = Served::start(1 << 20).await;
    let batch = Value::Array(events(1)).to_string();
    assert_eq!(served.post(BATCH_MEDIA_TYPE, None, batch).await.0, 201);
    served.stop.take().unwrap().send(()).unwrap();
    tokio::time::timeout(std::time::Duration::from_secs(10), &mut served.task).await.unwrap().unwrap();
    let settings = PlatformSettings {
        bind: "127.0.0.1:0".parse().unwrap(),
        ..PlatformSettings::new(served._dir.path().join("platform.db"))
    };
    Platform::bind(&settings).await.unwrap();
}

#[test]
fn openapi_json_is_what_the_receiver_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    let now = format!("{:#}\n", openapi());
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &now).unwrap();
    }
    let golden = std::fs::read_to_string(path).unwrap_or_default();
    let same: Option<Value> = serde_json::from_str(&golden).ok();
    assert!(
        same.as_ref() == Some(&openapi()),
        "bridge/openapi.json is out of date; UPDATE_GOLDEN=1 cargo test -p bridge writes it anew"
    );
}

/// Calls every operation that `openapi.json` names, and holds the answers against its schemas.
#[tokio::test]
async fn the_answers_are_those_that_openapi_json_promises() {
    let served = Served::start(8 << 20).await;
    let batch = Value::Array(events(1)).to_string();
    let api = openapi();
    let (code, receipt) = served.post(BATCH_MEDIA_TYPE, None, batch).await;
    let mut told = vec![("/api/v1/events", "post", code, receipt)];
    let (code, problem) = served.post(MEDIA_TYPE, None, "{}").await;
    told.push(("/api/v1/events", "post", code, problem));
    for path in ["/healthz", "/api/v1/runs", "/api/v1/shelf-errors"] {
        let (code, body) = served.get(path).await;
        told.push((path, "get", code, body));
    }
    for path in ["/api/v1/runs", "/api/v1/shelf-errors"] {
        let (code, body) = served.get(&format!("{path}?limit=-1")).await;
        assert_eq!(code, 400);
        told.push((path, "get", code, body));
    }
    for (path, method, code, body) in &told {
        let response = &api["paths"][path][method]["responses"][code.to_string()];
        let media = if *code >= 400 { "application/problem+json" } else { "application/json" };
        let schema = &response["content"][media]["schema"];
        assert!(schema.is_object(), "{method} {path} {code} is not described");
        schema::check(&api, schema, body, path).unwrap();
    }
    let (_, served_api) = served.get("/openapi.json").await;
    assert_eq!(served_api, api);
    let called: BTreeSet<&str> = told.iter().map(|t| t.0).chain(["/", "/openapi.json"]).collect();
    let described: BTreeSet<&str> = api["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(called, described);
}
