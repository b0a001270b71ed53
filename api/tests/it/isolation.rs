//! Tenant isolation: requests about another tenant's resources get the same responses as about nonexistent ones.
//!
//! The requests are generated from the specification: each operation, and each position of an id.

use std::collections::BTreeSet;

use parlance_testing::{Answer, Stage};
use reqwest::Method;
use serde_json::{Value, json};

use crate::rows::rows;
use crate::scene::{QUESTION, Scene};
use crate::spec::operations;
use crate::{stage, work};
use comparable::{get_all, normalized, send};
use resources::{Part, Resources, absent, places};

mod comparable;
mod resources;

/// Operations that open a session if it does not exist.
const OPENING: [&str; 2] = ["sendMessage", "openConversation"];

/// The ids of all rows of the tenant.
async fn ids(stage: &Stage) -> BTreeSet<String> {
    let rows = rows(stage, stage.tenant).await;
    let id = |row: &String| serde_json::from_str::<Value>(row).unwrap()["id"].as_str().map(str::to_owned);
    rows.values().flatten().filter_map(id).collect()
}

#[tokio::test]
async fn another_tenants_resources_look_absent_and_stay_unchanged() {
    let stage = stage().await;
    let (_, other) = stage.another_tenant().await;
    let (theirs, own) = (Resources::create(&stage, &stage.http).await, Scene::create(&other).await);
    let (rows_before, responses_before) =
        (rows(&stage, stage.tenant).await, get_all(&stage.http, &theirs.scene).await);
    let ids = ids(&stage).await;
    for (operation, response) in &responses_before {
        assert_eq!(response.status, 200, "{operation} must succeed: {response:?}");
    }
    let (mut cases, mut failures) = (0, Vec::new());
    for operation in operations() {
        for place in places(&operation, &own) {
            for (which, others) in theirs.each(&place.names[0]) {
                let absent_resources = absent(&others);
                let send_about = async |things: &Scene| {
                    let named: Vec<String> = place.names.iter().map(|name| things.id(name)).collect();
                    send(&other, &place.request(&operation, &own, things), &named).await
                };
                let (response, absent_response) =
                    (send_about(&others).await, send_about(&absent_resources).await);
                let what =
                    format!("{} with {:?} in the {:?}, {which}", operation.id, place.names, place.part);
                if normalized(&response) != normalized(&absent_response) {
                    failures.push(format!("{what}\n    {response:?}\n    {absent_response:?}"));
                }
                if let Some(id) = ids.iter().find(|id| response.body.contains(*id)) {
                    failures.push(format!("{what} tells {id}\n    {response:?}"));
                }
                if OPENING.contains(&&*operation.id) && place.names == ["session_id"] {
                    // The other tenant now has a session with that name.
                    other.delete(&format!("/conversations/{}", others.id("session_id"))).await.data(200);
                } else if place.part != Part::Query && response.status != 404 {
                    failures.push(format!("{what} must not be found\n    {response:?}"));
                }
                cases += 1;
            }
        }
    }
    // Responses to requests without foreign ids.
    for (operation, response) in get_all(&other, &own).await {
        if let Some(id) = ids.iter().find(|id| response.body.contains(*id)) {
            failures.push(format!("{operation} tells {id}\n    {response:?}"));
        }
    }
    assert!(failures.is_empty(), "{} of {cases} cases:\n{}", failures.len(), failures.join("\n"));
    assert!(cases > 40, "{cases}");
    let (rows_after, responses_after) =
        (rows(&stage, stage.tenant).await, get_all(&stage.http, &theirs.scene).await);
    for (table, rows) in &rows_before {
        assert_eq!(rows, &rows_after[table], "{table}");
    }
    for (operation, response) in &responses_before {
        assert_eq!(response, &responses_after[operation], "{operation}");
    }
    eprintln!("isolation: {cases} cases");
    work(&stage).await;
    stage.end().await;
}

#[tokio::test]
async fn names_content_and_idempotency_keys_are_per_tenant() {
    let stage = stage().await;
    let (_, other) = stage.another_tenant().await;
    let theirs = Scene::create(&stage.http).await;
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

    // Knowledge of one tenant neither answers questions of the other nor counts as its duplicate.
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
