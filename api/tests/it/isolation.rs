//! Tenants: what one has, another is answered about exactly as about what nobody has. The requests are made
//! from the specification: each operation, and each place in it where an id can be named.

use std::collections::BTreeSet;

use parlance_testing::{Answer, Stage};
use reqwest::Method;
use serde_json::{Value, json};

use crate::rows::rows;
use crate::scene::{QUESTION, Scene};
use crate::spec::operations;
use crate::{stage, work};
use heard::{hear, plain, seen};
use things::{Part, Things, nobodys, places};

mod heard;
mod things;

/// Operations that open a session which is not there.
const OPENING: [&str; 2] = ["sendMessage", "openConversation"];

/// The ids of a tenant's rows.
async fn ids(stage: &Stage) -> BTreeSet<String> {
    let rows = rows(stage, stage.tenant).await;
    let id = |row: &String| serde_json::from_str::<Value>(row).unwrap()["id"].as_str().map(str::to_owned);
    rows.values().flatten().filter_map(id).collect()
}

#[tokio::test]
async fn another_tenants_resources_look_nonexistent_and_stay_intact() {
    let stage = stage().await;
    let (_, other) = stage.another_tenant().await;
    let (theirs, own) = (Things::set(&stage, &stage.http).await, Scene::set(&other).await);
    let (rows_before, seen_before) =
        (rows(&stage, stage.tenant).await, seen(&stage.http, &theirs.scene).await);
    let ids = ids(&stage).await;
    for (operation, heard) in &seen_before {
        assert_eq!(heard.status, 200, "{operation} is no question about what is there: {heard:?}");
    }
    let (mut cases, mut flaws) = (0, Vec::new());
    for operation in operations() {
        for place in places(&operation, &own) {
            for (which, others) in theirs.each(&place.names[0]) {
                let strangers = nobodys(&others);
                let ask = async |things: &Scene| {
                    let named: Vec<String> = place.names.iter().map(|name| things.id(name)).collect();
                    hear(&other, &place.ask(&operation, &own, things), &named).await
                };
                let (heard, of_nobodys) = (ask(&others).await, ask(&strangers).await);
                let what =
                    format!("{} with {:?} in the {:?}, {which}", operation.id, place.names, place.part);
                if plain(&heard) != plain(&of_nobodys) {
                    flaws.push(format!("{what}\n    {heard:?}\n    {of_nobodys:?}"));
                }
                if let Some(id) = ids.iter().find(|id| heard.body.contains(*id)) {
                    flaws.push(format!("{what} tells {id}\n    {heard:?}"));
                }
                if OPENING.contains(&&*operation.id) && place.names == ["session_id"] {
                    // The other tenant has a session of that name now.
                    other.delete(&format!("/conversations/{}", others.id("session_id"))).await.data(200);
                } else if place.part != Part::Query && heard.status != 404 {
                    flaws.push(format!("{what} must not be found\n    {heard:?}"));
                }
                cases += 1;
            }
        }
    }
    // What it sees without naming anything.
    for (operation, heard) in seen(&other, &own).await {
        if let Some(id) = ids.iter().find(|id| heard.body.contains(*id)) {
            flaws.push(format!("{operation} tells {id}\n    {heard:?}"));
        }
    }
    assert!(flaws.is_empty(), "{} of {cases} cases:\n{}", flaws.len(), flaws.join("\n"));
    assert!(cases > 40, "{cases}");
    let (rows_after, seen_after) = (rows(&stage, stage.tenant).await, seen(&stage.http, &theirs.scene).await);
    for (table, rows) in &rows_before {
        assert_eq!(rows, &rows_after[table], "{table}");
    }
    for (operation, heard) in &seen_before {
        assert_eq!(heard, &seen_after[operation], "{operation}");
    }
    eprintln!("isolation: {cases} cases");
    work(&stage).await;
    stage.end().await;
}

#[tokio::test]
async fn tenants_share_no_session_names_content_or_idempotency_keys() {
    let stage = stage().await;
    let (_, other) = stage.another_tenant().await;
    let theirs = Scene::set(&stage.http).await;
    work(&stage).await;
    let path = format!("/conversations/{}", theirs.id("session_id"));
    let before = stage.http.get(&path).await.data(200).clone();

    let make = json!({"name": "Mine", "channel_type": "webchat"});
    let mut bots = Vec::new();
    for http in [&stage.http, &other] {
        let request = http.request(Method::POST, "/bots").header("Idempotency-Key", "same").json(&make);
        let made = Answer::of(request).await;
        assert_eq!(made.headers.get("Idempotency-Replayed"), None);
        bots.push(made.id());
    }
    assert_ne!(bots[0], bots[1]);

    // The knowledge of one does not answer the other, and is no duplicate there.
    let said = other.post(&format!("{path}/messages"), json!({"message": QUESTION})).await;
    let answer = &said.data(200)["bot_response"];
    assert_eq!((&answer["answered"], &answer["sources"]), (&json!(false), &json!([])));
    let source = other.upload(&bots[1], "returns.md", "# Returns\n\nWithin thirty days.\n").await;
    assert_eq!(
        (source.data(201)["duplicate"] == true, source.id() == theirs.id("source_id")),
        (false, false)
    );
    assert_eq!(
        stage.http.get(&format!("/knowledge/sources/{}", source.id())).await.error(404),
        "source_not_found"
    );

    let own = other.get(&path).await.data(200).clone();
    assert_eq!((&own["session"]["bot_id"], own["messages"].as_array().unwrap().len()), (&json!(bots[1]), 2));
    other.patch(&path, json!({"status": "ended", "user_name": "Eve"})).await.data(200);
    assert_eq!(&before, stage.http.get(&path).await.data(200));
    other.delete(&path).await.data(200);
    assert_eq!(&before, stage.http.get(&path).await.data(200));
    work(&stage).await;
    stage.end().await;
}
