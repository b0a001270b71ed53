//! Bodies: every field and every way in which it can be wrong; and bodies that cannot be read at all.

use std::collections::BTreeMap;

use futures_util::stream;
use parlance_testing::{Answer, text_of};
use serde_json::{Map, Value, json};

use super::Walk;
use super::told::{Fault, How, Told};
use super::values::{self, Wrong};
use crate::rows::rows;
use crate::scene::{ADDRESS, Asked, Payload, Scene, is_used_up};
use crate::spec::{Body, Field, gentle_first, operations};

/// Fields of which it is told what they need only when another is right: that one says which are needed.
const DEPENDENT: [(&str, &str); 2] = [("content", "source_type"), ("file", "source_type")];

/// More bytes than any operation takes.
const FAR_TOO_MANY: &str = "1000000000000";

#[tokio::test]
async fn an_invalid_field_is_named_with_its_valid_values() {
    let mut walk = Walk::begin().await;
    let scene = Scene::set(&walk.stage.http).await;
    let before = rows(&walk.stage, walk.stage.tenant).await;
    for operation in operations() {
        for body in &operation.bodies {
            let ask = |value: &Map<String, Value>| scene.ask(&operation).carrying(body, value.clone().into());
            let Value::Object(right) = scene.right(body) else { panic!("{}", operation.id) };
            let name = format!("{} ({})", operation.id, body.media);
            for field in body.fields() {
                let mut sent = right.clone();
                if sent.remove(field.name).is_some() && field.required {
                    let told = Told::Faults(vec![Fault::new(field.name, How::Missing, [])]);
                    walk.see(&format!("{name} without {}", field.name), &ask(&sent), &told).await;
                }
                for Wrong { value, fault } in values::of_field(field, body) {
                    sent.insert(field.name.to_owned(), value.clone());
                    let mut what = format!("{name} with {}: {value}", field.name);
                    what.truncate(what.floor_char_boundary(160));
                    walk.see(&what, &ask(&sent), &Told::Faults(vec![fault])).await;
                }
            }
            for (how, sent, faults) in several(body) {
                walk.see(&format!("{name} with {how}"), &ask(&sent), &Told::Faults(faults)).await;
            }
        }
    }
    let after = rows(&walk.stage, walk.stage.tenant).await;
    walk.end("fields").await;
    assert!(before == after, "a request that was refused changed something");
}

/// Bodies with several faults at once.
fn several(body: &Body) -> Vec<(&'static str, Map<String, Value>, Vec<Fault>)> {
    let wrong: BTreeMap<&str, Vec<Wrong>> =
        body.fields().map(|field| (field.name, values::of_field(field, body))).collect();
    // The place in the list of wrong values, for each field in turn.
    type Choice = fn(usize, usize) -> usize;
    let choices: [(&str, Choice); 4] = [
        ("every field wrong", |_, _| 0),
        ("every field nearly right", |_, len| len - 1),
        ("fields wrong in turns", |at, len| if at % 2 == 0 { 0 } else { len - 1 }),
        ("fields wrong in other turns", |at, len| if at % 2 == 1 { 0 } else { len - 1 }),
    ];
    let mut all = Vec::new();
    for (how, choice) in choices {
        let chosen = body.fields().enumerate().map(|(at, field)| {
            let values = &wrong[field.name];
            &values[choice(at, values.len())]
        });
        let chosen: Vec<&Wrong> = chosen.collect();
        let sent = chosen.iter().map(|wrong| (wrong.fault.field.clone(), wrong.value.clone())).collect();
        all.push((how, sent, told_of(chosen.iter().map(|wrong| wrong.fault.clone()).collect(), body)));
    }
    let missing = body.fields().filter(|field| field.required);
    let missing: Vec<Fault> = missing.map(|field| Fault::new(field.name, How::Missing, [])).collect();
    let nothing = Map::from_iter([("unknown".to_owned(), json!(1))]);
    if !missing.is_empty() {
        all.push(("nothing", nothing.clone(), told_of(missing, body)));
    }
    if body.schema["minProperties"] == 1 {
        all.push(("nothing", nothing, vec![Fault::new("body", How::Wrong, ["body".to_owned()])]));
    }
    all
}

/// The faults that are told when all of these are there.
fn told_of(faults: Vec<Fault>, body: &Body) -> Vec<Fault> {
    let wrong: Vec<String> = faults.iter().map(|fault| fault.field.clone()).collect();
    let of_other_type = |fault: &Fault| !body.is_form() && fault.saying == ["must be "];
    let depends = |fault: &Fault| {
        DEPENDENT.iter().any(|(field, on)| fault.field == *field && wrong.iter().any(|name| name == on))
    };
    faults.into_iter().filter(|fault| of_other_type(fault) || !depends(fault)).collect()
}

#[tokio::test]
async fn an_unreadable_body_gets_the_right_error_code() {
    let mut walk = Walk::begin().await;
    let scene = Scene::set(&walk.stage.http).await;
    for operation in operations() {
        let takes = |media: &str| operation.bodies.iter().any(|body| body.media == media);
        let (json, form) = (takes("application/json"), takes("multipart/form-data"));
        let media = Told::refused(415, &["unsupported_media_type"], &["Unsupported media type"]);
        let no_json =
            || if json { Told::refused(400, &["invalid_json"], &["Invalid JSON"]) } else { media.clone() };
        let no_form =
            || if form { Told::refused(400, &["invalid_form"], &["Invalid form"]) } else { media.clone() };
        let mut payloads = vec![
            (Payload::Nothing, media.clone()),
            (Payload::Raw("text/plain", "{}"), media.clone()),
            (Payload::Raw("application/x-www-form-urlencoded", "name=A"), media.clone()),
            (Payload::Raw("application/octet-stream", "{}"), media.clone()),
            (Payload::Raw("", "{}"), media.clone()),
        ];
        let unreadable =
            ["", " ", "{", "nonsense", "[]", "[{}]", "null", "5", "\"text\"", "{\"name\": 1e999}", "{}{}"];
        payloads.extend(unreadable.map(|text| (Payload::Raw("application/json", text), no_json())));
        payloads.extend([
            (Payload::Raw("multipart/form-data", "x"), no_form()),
            (Payload::Raw("multipart/form-data; boundary=x", ""), no_form()),
            (Payload::Raw("multipart/form-data; boundary=x", "--x\r\n"), no_form()),
            (
                Payload::Raw(
                    "multipart/form-data; boundary=x",
                    "--x\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nA",
                ),
                no_form(),
            ),
        ]);
        for (payload, told) in payloads.iter().filter(|_| !operation.bodies.is_empty()) {
            let asked = Asked { payload: payload.clone(), ..scene.ask(&operation) };
            walk.see(&format!("{} with {payload:?}", operation.id), &asked, told).await;
        }
    }
    walk.end("unreadable bodies").await;
}

#[tokio::test]
async fn a_too_large_body_is_rejected_by_its_content_length() {
    let mut walk = Walk::begin().await;
    let scene = Scene::set(&walk.stage.http).await;
    let told = Told::refused(413, &["payload_too_large"], &["Payload too large", " bytes"]);
    for operation in operations() {
        for body in &operation.bodies {
            let asked = scene.ask(&operation);
            let media =
                if body.is_form() { format!("{}; boundary=x", body.media) } else { body.media.clone() };
            // Nothing of it ever comes.
            let nothing = reqwest::Body::wrap_stream(stream::pending::<std::io::Result<Vec<u8>>>());
            let request = asked.request(&walk.stage.http).header("Content-Type", media);
            let answer = Answer::of(request.header("Content-Length", FAR_TOO_MANY).body(nothing)).await;
            walk.hear(&format!("{} ({}), too large", operation.id, body.media), answer, &asked, &told);
        }
    }
    walk.end("large bodies").await;
}

/// The other half: what the cases are made from is right, and what is unknown in it is no matter.
#[tokio::test]
async fn valid_requests_succeed() {
    let mut walk = Walk::begin().await;
    let mut scene = Scene::set(&walk.stage.http).await;
    for operation in gentle_first(operations()) {
        let mut requests = Vec::new();
        for body in &operation.bodies {
            requests.extend(right(body).into_iter().map(|(how, sent)| (how, Some((body, sent)))));
        }
        if requests.is_empty() {
            requests.push(("an unknown parameter", None));
        }
        for (how, sent) in requests {
            let ask = |scene: &Scene| match &sent {
                Some((body, sent)) => {
                    let mut whole = scene.right(body);
                    let fields = whole.as_object_mut().unwrap();
                    fields.extend(sent.clone());
                    if fields.get("source_type").is_some_and(|kind| kind == "url") {
                        fields.insert("url".to_owned(), ADDRESS.into());
                    }
                    scene.ask(&operation).carrying(body, whole)
                }
                None => scene.ask(&operation).asking("unknown", "x"),
            };
            let mut response = ask(&scene).request(&walk.stage.http).send().await.unwrap();
            if is_used_up(response.status()) {
                scene = Scene::set(&walk.stage.http).await;
                response = ask(&scene).request(&walk.stage.http).send().await.unwrap();
            }
            walk.cases += 1;
            let (status, text) = (response.status(), text_of(response).await);
            if !status.is_success() {
                walk.flaws.push(format!("{} with {how}: {status} {text}", operation.id));
            }
        }
    }
    walk.end("right requests").await;
}

/// What can be put into a right body without making it wrong.
fn right(body: &Body) -> Vec<(&'static str, Map<String, Value>)> {
    let every = |value: &dyn Fn(&Field<'_>) -> Option<Value>| -> Map<String, Value> {
        body.fields().filter_map(|field| Some((field.name.to_owned(), value(&field)?))).collect()
    };
    let mut all = vec![
        ("no more", Map::new()),
        (
            "unknown fields",
            Map::from_iter([("unknown".to_owned(), "x".into()), ("Name".to_owned(), "y".into())]),
        ),
        (
            "texts as long as they may be",
            every(&|field| {
                let most = field.schema["maxLength"].as_u64()?;
                if field.schema["format"] == "uri" {
                    return Some(format!("{ADDRESS:/<width$}", width = most as usize).into());
                }
                Some("\u{fc}".repeat(most as usize).into())
            }),
        ),
    ];
    if !body.is_form() {
        all.push(("null wherever it may be", every(&|field| field.is_nullable().then_some(Value::Null))));
        let least = |field: &Field<'_>| Some((field.schema["minimum"].as_f64()? as i64).into());
        let most = |field: &Field<'_>| Some((field.schema["maximum"].as_f64()? as i64).into());
        all.extend([("the least numbers", every(&least)), ("the greatest numbers", every(&most))]);
        let words =
            body.fields().filter_map(|field| Some((field.name, field.schema["enum"].as_array()?.clone())));
        for (name, words) in words {
            all.extend(words.into_iter().map(|word| ("a word", Map::from_iter([(name.to_owned(), word)]))));
        }
    }
    all.dedup_by(|later, sooner| later.1.is_empty() && sooner.1.is_empty());
    all
}
