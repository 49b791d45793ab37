use std::collections::BTreeSet;

use serde_json::Value;

use super::*;
use crate::day::{Kind, Plan};

fn server() -> Server {
    let day = Arc::new(Day::draw(Plan { seed: 5, patients: 4, events: 60 }));
    Server::start(day, "127.0.0.1:0").unwrap()
}

/// Asks, as anybody would.
fn ask(method: &str, url: &str) -> (u16, reqwest::header::HeaderMap, String) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let reply = client.request(method, url).header("prefer", "respond-async").send().await.unwrap();
        (reply.status().as_u16(), reply.headers().clone(), reply.text().await.unwrap())
    })
}

fn get(url: &str) -> Value {
    let (status, _, body) = ask("GET", url);
    assert_eq!(status, 200, "{url}: {body}");
    serde_json::from_str(&body).unwrap()
}

/// All entries of a Bundle and of the pages after it.
fn entries(url: &str) -> Vec<Value> {
    let (mut all, mut next) = (Vec::new(), Some(url.to_owned()));
    while let Some(url) = next {
        let page = get(&url);
        all.extend(page["entry"].as_array().unwrap().clone());
        let links = page["link"].as_array().unwrap();
        next = links.iter().find(|link| link["relation"] == "next").map(|link| link["url"].as_str().unwrap().to_owned());
    }
    all
}

#[test]
fn search_history_and_export_tell_the_same() {
    let server = server();
    server.play(0.0);
    let base = server.base().to_owned();
    let found = entries(&format!("{base}/DocumentReference?_sort=_lastUpdated&_count=3"));
    let id = |resource: &Value| resource["id"].as_str().unwrap().to_owned();
    let searched: BTreeSet<String> = found.iter().map(|entry| id(&entry["resource"])).collect();
    assert!(found.len() > 6 && searched.len() == found.len());
    let times: Vec<&str> = found.iter().map(|entry| entry["resource"]["meta"]["lastUpdated"].as_str().unwrap()).collect();
    assert!(times.is_sorted());
    let later = entries(&format!("{base}/DocumentReference?_lastUpdated=ge{}", times[2]));
    assert_eq!(later.len(), found.len() - 2);

    let mut alive = BTreeSet::new();
    for entry in entries(&format!("{base}/DocumentReference/_history?_count=4")).iter().rev() {
        match entry.get("resource") {
            Some(resource) => alive.insert(id(resource)),
            None => alive.remove(entry["request"]["url"].as_str().unwrap().strip_prefix("DocumentReference/").unwrap()),
        };
    }
    assert_eq!(alive, searched);

    let (status, headers, _) = ask("GET", &format!("{base}/$export?_type=DocumentReference,Patient,Binary"));
    assert_eq!(status, 202);
    let job = headers["content-location"].to_str().unwrap().to_owned();
    assert_eq!(ask("GET", &job).0, 202);
    let manifest = get(&job);
    let file = |name: &str| {
        let outputs = manifest["output"].as_array().unwrap();
        let url = outputs.iter().find(|output| output["type"] == name).unwrap()["url"].as_str().unwrap().to_owned();
        ask("GET", &url).2
    };
    let exported: BTreeSet<String> = file("DocumentReference").lines().map(|line| id(&serde_json::from_str(line).unwrap())).collect();
    assert_eq!(exported, searched);
    assert_eq!(ask("DELETE", &job).0, 202);
    assert_eq!(ask("GET", &job).0, 404);

    let apart = found.iter().find_map(|entry| entry["resource"]["content"][0]["attachment"]["url"].as_str()).unwrap();
    assert_eq!(get(&format!("{base}/{apart}"))["resourceType"], "Binary");
}

#[test]
fn what_was_deleted_is_gone_and_outages_are_seen() {
    let mut server = server();
    server.play(0.0);
    let base = server.base().to_owned();
    let day = server.shared.day.clone();
    let last = |kind: Kind| {
        let changes = day.events().iter().flat_map(|event| event.changes()).filter(move |change| change.kind() == kind);
        changes.fold(std::collections::HashMap::new(), |mut all, change| {
            all.insert(day.resource_id(change), change.is_deletion());
            all
        })
    };
    for (id, is_gone) in last(Kind::Document) {
        assert_eq!(ask("GET", &format!("{base}/DocumentReference/{id}")).0, if is_gone { 410 } else { 200 });
    }
    server.mood(Mood::Busy);
    assert_eq!(ask("GET", &format!("{base}/metadata")).0, 503);
    server.mood(Mood::Well);
    server.down();
    assert!(std::net::TcpStream::connect(server.address).is_err());
    server.up().unwrap();
    assert_eq!(ask("GET", &format!("{base}/metadata")).0, 200);
}
