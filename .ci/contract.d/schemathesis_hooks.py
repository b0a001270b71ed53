"""Facts that the specification cannot express for Schemathesis. No check is disabled; each hook documents which cases or
failures it drops, and why."""

import json
import os
import urllib.error
import urllib.request
from datetime import datetime, timedelta, timezone

import schemathesis
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker
from schemathesis.transport.serialization import Binary

FORM = "multipart/form-data"

schemathesis.openapi.format("timezone", st.sampled_from(["UTC", "Europe/Berlin", "America/New_York"]))
# Unresolvable URLs: any other valid URL could reach a real machine.
schemathesis.openapi.format("uri", st.sampled_from([f"https://site{n}.invalid/help" for n in range(50)]))


def own_keys():
    """Ids of the API keys that existed before the run."""
    request = urllib.request.Request(
        os.environ["CONTRACT_API"] + "/tenant/api-keys", headers={"X-API-Key": os.environ["CONTRACT_KEY"]}
    )
    try:
        with urllib.request.urlopen(request) as response:
            return {key["id"] for key in json.load(response)["data"]}
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return set()
        raise


OWN_KEYS = own_keys()


# Links between operations that Schemathesis does not infer: which response supplies which parameter.
SOURCE = {"source_id": "$response.body#/data/id"}
SOURCES = [
    "getKnowledgeSource",
    "updateKnowledgeSource",
    "listKnowledgeChunks",
    "listSitePages",
    "refreshKnowledgeSource",
    "deleteKnowledgeSource",
]
JOB = {"job_id": "$response.body#/data/job_id"}
JOBS = ["getJob", "watchJob", "cancelJob", "retryJob"]
SESSION = {"session_id": "$response.body#/data/session/session_id"}
SESSIONS = ["getConversation", "updateConversation", "sendMessage", "deleteConversation"]
ANSWER = {"session_id": "$request.path.session_id", "message_id": "$response.body#/data/bot_response/id"}
LINKS = [
    ("createKnowledgeSource", "201", SOURCES, SOURCE),
    ("uploadKnowledgeFile", "201", [*SOURCES, "downloadKnowledgeFile"], SOURCE),
    ("uploadKnowledgeFile", "201", JOBS, JOB),
    ("openConversation", "201", SESSIONS, SESSION),
    ("sendMessage", "200", ["giveFeedback"], ANSWER),
]


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """Adds what poem-openapi cannot express: links, and a file name. The API derives the file type from the name; without
    it, Schemathesis uploads `file` and `file.png`, which are rejected."""
    disposition = {
        "description": "File name.",
        "schema": {"type": "string"},
        "example": 'form-data; name="file"; filename="knowledge.md"',
    }
    operations = {
        operation["operationId"]: operation
        for path in raw_schema["paths"].values()
        for operation in path.values()
    }
    for operation in operations.values():
        form = operation.get("requestBody", {}).get("content", {}).get(FORM)
        if form:
            form.setdefault("encoding", {})["file"] = {"headers": {"Content-Disposition": disposition}}
    for source, status, targets, parameters in LINKS:
        for target in targets:
            links = operations[source]["responses"][status].setdefault("links", {})
            links[target] = {"operationId": target, "parameters": parameters}
            assert target in operations, f"operation {target} was renamed"


# Path parameters seen so far: message ids, ids from replayed responses, the bot of each resource, deleted resources.
MESSAGES, REPLAYED, BOT_OF, DELETED = set(), set(), {}, set()


@schemathesis.hook
def after_call(context, case, response):
    """Records path parameters for `filter_failure`."""
    if not 200 <= response.status_code < 300:
        return
    if case.method == "DELETE":
        DELETED.update((case.path_parameters or {}).values())
        return
    try:
        data = response.json()["data"]
    except (ValueError, LookupError, TypeError):
        return
    if not isinstance(data, dict):
        return
    MESSAGES.update(message["id"] for message in data.get("messages", []))
    created = data.get("session", data)
    name = created.get("session_id", created.get("id"))
    sent = case.body if isinstance(case.body, dict) else {}
    BOT_OF.setdefault(name, created.get("bot_id", sent.get("bot_id")))
    if "true" in response.headers.get("idempotency-replayed", []):
        REPLAYED.add(name)


@schemathesis.hook
def filter_body(context, body):
    """Drops bodies that break rules documented only in text, because OpenAPI 3.0 cannot express them: `metadata` has at most
    4 KiB and no NUL characters, also in keys; an API key expires in the future; a source of type text has content, one of
    type url has a url. Also drops bodies that cannot be sent: form part names go into a header, which has no control
    characters."""
    fields = getattr(body, "body", body)
    if not isinstance(fields, dict):
        return True
    if is_past(fields.get("expires_at")):
        return False
    metadata = fields.get("metadata")
    if isinstance(metadata, dict):
        text = json.dumps(metadata, ensure_ascii=False, default=str)
        if "\\u0000" in text or len(text.encode(errors="replace")) > 4096:
            return False
    needed = {"text": "content", "url": "url"}.get(fields["source_type"]) if has_source_type(fields) else None
    if needed and fields.get(needed) is None:
        return False
    is_form = any(declared.media_type == FORM for declared in context.operation.body)
    return not (is_form and any(character < " " or character == "\x7f" for character in "".join(fields)))


def has_source_type(fields):
    """Whether the source type is a string."""
    return isinstance(fields.get("source_type"), str)


def is_past(moment):
    """Whether this is a timestamp in the past or within the next day."""
    try:
        return datetime.fromisoformat(moment) < datetime.now(timezone.utc) + timedelta(days=1)
    except (TypeError, ValueError):
        return False


@schemathesis.hook
def filter_case(context, case):
    """Drops requests that modify the run's own API key, because all later requests would be refused. Drops streams with an
    Idempotency-Key, which are rejected as documented: OpenAPI cannot relate a header to a body field."""
    headers = {str(name).lower() for name in case.headers or {}}
    if "idempotency-key" in headers and isinstance(case.body, dict) and case.body.get("stream") is True:
        return False
    path_values = set((case.path_parameters or {}).values()) if isinstance(case.path_parameters, dict) else set()
    return case.method == "GET" or not OWN_KEYS & {value for value in path_values if isinstance(value, str)}


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Drops two kinds of false failures.

    AcceptedNegativeData: for a form field filled in by a link, Schemathesis validates the form as JSON, where file bytes
    are not strings, and expects a rejection. Here the form is validated again with its files as strings; if it is valid,
    accepting it was right.

    EnsureResourceAvailability: a just created resource may be missing if its response was an idempotent replay and it has
    been deleted since, if its bot was deleted, or if it never existed because Schemathesis took the id of the first
    message for the session id."""
    kind = type(failure).__name__
    if kind == "EnsureResourceAvailability":
        names = {name for name in (case.path_parameters or {}).values() if isinstance(name, str)}
        return not any(name in MESSAGES | REPLAYED or BOT_OF.get(name) in DELETED for name in names)
    return kind != "AcceptedNegativeData" or not is_valid_form(case)


def is_valid_form(case):
    """Whether the body is a form that matches its schema and all other parts of the case are valid."""
    if case.media_type != FORM or not isinstance(case.body, dict):
        return False
    components = case.meta.components.items() if case.meta else []
    if any(part.mode.is_negative for place, part in components if place.name != "BODY"):
        return False
    schema = case.operation.get_body_for_media_type(FORM).resolved_schema
    fields = {name: "" if isinstance(value, (bytes, Binary)) else value for name, value in case.body.items()}
    return Draft202012Validator(schema, format_checker=FormatChecker()).is_valid(fields)
