//! The operations of the served specification. Tests generated from it cover new operations without a change.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Map, Value};

/// An operation of the API.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) method: Method,
    /// The path below `/api/v1`, with parameters in braces.
    pub(crate) path: String,
    pub(crate) parameters: Vec<Parameter>,
    /// One body per media type.
    pub(crate) bodies: Vec<Body>,
}

/// A parameter of the path, the query or a header.
#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    pub(crate) location: String,
    pub(crate) name: String,
    pub(crate) schema: Value,
}

/// A request body of an operation.
#[derive(Clone, Debug)]
pub(crate) struct Body {
    pub(crate) media: String,
    pub(crate) schema: Value,
}

/// A field of a body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field<'a> {
    pub(crate) name: &'a str,
    pub(crate) schema: &'a Value,
    pub(crate) required: bool,
}

impl Operation {
    /// The parameters of a location: `path`, `query` or `header`.
    pub(crate) fn parameters(&self, location: &str) -> impl Iterator<Item = &Parameter> {
        self.parameters.iter().filter(move |parameter| parameter.location == location)
    }
}

impl Body {
    /// The fields, in the order of the specification.
    pub(crate) fn fields(&self) -> impl Iterator<Item = Field<'_>> {
        let required = |name: &str| {
            self.schema["required"].as_array().is_some_and(|all| all.iter().any(|one| one == name))
        };
        self.schema["properties"].as_object().into_iter().flatten().map(move |(name, schema)| Field {
            name,
            schema,
            required: required(name),
        })
    }

    pub(crate) fn is_form(&self) -> bool {
        self.media == "multipart/form-data"
    }
}

impl Field<'_> {
    pub(crate) fn is_nullable(&self) -> bool {
        self.schema["nullable"] == true
    }

    /// Whether it holds the id of a resource.
    pub(crate) fn is_id(&self) -> bool {
        self.schema["format"] == "uuid"
    }
}

/// All operations, in the order of the specification.
pub(crate) fn operations() -> Vec<Operation> {
    let spec: Value = serde_json::from_str(&parlance_api::openapi_json()).unwrap();
    let mut all = Vec::new();
    for (path, operations) in spec["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let bodies = operation["requestBody"]["content"].as_object().into_iter().flatten();
            all.push(Operation {
                id: operation["operationId"].as_str().unwrap().to_owned(),
                method: method.to_uppercase().parse().unwrap(),
                path: path.clone(),
                parameters: parameters.map(|parameter| Parameter::parse(&spec, parameter)).collect(),
                bodies: bodies
                    .map(|(media, body)| Body {
                        media: media.clone(),
                        schema: resolve(&spec, &body["schema"]),
                    })
                    .collect(),
            });
        }
    }
    all
}

/// Sorts operations so that updates (PATCH) come last but one and deletions last.
pub(crate) fn destructive_last(mut operations: Vec<Operation>) -> Vec<Operation> {
    operations
        .sort_by_key(|operation| (operation.method == Method::DELETE, operation.method == Method::PATCH));
    operations
}

/// All operations by path.
pub(crate) fn paths() -> BTreeMap<String, Vec<Operation>> {
    let mut paths = BTreeMap::<_, Vec<_>>::new();
    for operation in operations() {
        paths.entry(operation.path.clone()).or_default().push(operation);
    }
    paths
}

impl Parameter {
    fn parse(spec: &Value, parameter: &Value) -> Self {
        Self {
            location: parameter["in"].as_str().unwrap().to_owned(),
            name: parameter["name"].as_str().unwrap().to_owned(),
            schema: resolve(spec, &parameter["schema"]),
        }
    }
}

/// A schema with its references and `allOf` parts inlined.
fn resolve(spec: &Value, schema: &Value) -> Value {
    let Value::Object(own) = schema else { return schema.clone() };
    let mut merged = Map::new();
    let references = own.get("allOf").and_then(Value::as_array).into_iter().flatten();
    for part in references.map(|part| resolve(spec, part)).chain(referenced(spec, own)) {
        merged.extend(part.as_object().cloned().unwrap_or_default());
    }
    for (name, value) in own {
        match (name.as_str(), value) {
            ("$ref" | "allOf", _) => {}
            ("properties", Value::Object(fields)) => {
                let fields = fields.iter().map(|(name, field)| (name.clone(), resolve(spec, field)));
                merged.insert(name.clone(), Value::Object(fields.collect()));
            }
            ("items", items) => drop(merged.insert(name.clone(), resolve(spec, items))),
            _ => drop(merged.insert(name.clone(), value.clone())),
        }
    }
    Value::Object(merged)
}

fn referenced(spec: &Value, schema: &Map<String, Value>) -> Option<Value> {
    let reference = schema.get("$ref")?.as_str()?.strip_prefix('#')?;
    Some(resolve(spec, spec.pointer(reference)?))
}
