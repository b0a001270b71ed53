"""What the specification cannot tell Schemathesis. No check is switched off; each function says which
cases, or which single failure, are left out, and why."""

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
# Addresses of the web at which nothing answers: any other that is one leads to a machine of somebody's.
schemathesis.openapi.format("uri", st.sampled_from([f"https://site{n}.invalid/help" for n in range(50)]))


def own_keys():
    """The keys with which the run was begun."""
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


# Which operation makes what others then name, where Schemathesis does not find that out by itself.
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
    """Adds what poem-openapi cannot write: links, and the name of a file. The name decides the file's
    type, too; without it Schemathesis would upload `file` and `file.png`, and none would be accepted."""
    named = {
        "description": "Names the file.",
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
            form.setdefault("encoding", {})["file"] = {"headers": {"Content-Disposition": named}}
    for maker, status, users, parameters in LINKS:
        for user in users:
            links = operations[maker]["responses"][status].setdefault("links", {})
            links[user] = {"operationId": user, "parameters": parameters}
            assert user in operations, f"{user} has another name now"


# What was seen of names that are in paths: which are of messages, which came from an answer that was
# given again, which belong to what bot, and which bots were deleted.
MESSAGES, REPLAYED, BOT_OF, DELETED = set(), set(), {}, set()


@schemathesis.hook
def after_call(context, case, response):
    """Remembers those."""
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
    made = data.get("session", data)
    name = made.get("session_id", made.get("id"))
    sent = case.body if isinstance(case.body, dict) else {}
    BOT_OF.setdefault(name, made.get("bot_id", sent.get("bot_id")))
    if "true" in response.headers.get("idempotency-replayed", []):
        REPLAYED.add(name)


@schemathesis.hook
def filter_body(context, body):
    """Leaves out what is documented in words alone, for OpenAPI 3.0 has none for it: an object of the
    client's own holds no NUL character, in no key either, and at most 4 KiB; an API key expires in the
    future; a source of the type text has its content, and one of the type url its url. And what cannot be sent: the name of a form's part stands in a header, which holds no control
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
    needed = {"text": "content", "url": "url"}.get(fields["source_type"]) if is_word(fields) else None
    if needed and fields.get(needed) is None:
        return False
    is_form = any(declared.media_type == FORM for declared in context.operation.body)
    return not (is_form and any(character < " " or character == "\x7f" for character in "".join(fields)))


def is_word(fields):
    """Whether the type of a source is a word at all."""
    return isinstance(fields.get("source_type"), str)


def is_past(moment):
    """Whether this is a moment, and past, or nearly so."""
    try:
        return datetime.fromisoformat(moment) < datetime.now(timezone.utc) + timedelta(days=1)
    except (TypeError, ValueError):
        return False


@schemathesis.hook
def filter_case(context, case):
    """Leaves the run's own key alone: with it, everything else would be refused from there on. Leaves out a stream
    with an Idempotency-Key, which is refused as documented: OpenAPI cannot relate a header to a field of the body."""
    headers = {str(name).lower() for name in case.headers or {}}
    if "idempotency-key" in headers and isinstance(case.body, dict) and case.body.get("stream") is True:
        return False
    named = set((case.path_parameters or {}).values()) if isinstance(case.path_parameters, dict) else set()
    return case.method == "GET" or not OWN_KEYS & {value for value in named if isinstance(value, str)}


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Drops two kinds of false failures.

    When a link fills in a field of a form, Schemathesis judges the form anew as if it were JSON, where a
    file's bytes are no string, and expects the API to refuse it. So a form that was accepted is judged
    here, with its files as texts: when it is valid, accepting it was right.

    And what was just created is not there when the answer that tells of it was given again and it was
    deleted since; when its bot was deleted, and it with the bot; or when it never was: Schemathesis takes
    the id of a conversation's first message for the session's name."""
    kind = type(failure).__name__
    if kind == "EnsureResourceAvailability":
        names = {name for name in (case.path_parameters or {}).values() if isinstance(name, str)}
        return not any(name in MESSAGES | REPLAYED or BOT_OF.get(name) in DELETED for name in names)
    return kind != "AcceptedNegativeData" or not is_valid_form(case)


def is_valid_form(case):
    """Whether the case's body is a form that follows its schema, and nothing else of the case is wrong."""
    if case.media_type != FORM or not isinstance(case.body, dict):
        return False
    components = case.meta.components.items() if case.meta else []
    if any(part.mode.is_negative for place, part in components if place.name != "BODY"):
        return False
    schema = case.operation.get_body_for_media_type(FORM).resolved_schema
    fields = {name: "" if isinstance(value, (bytes, Binary)) else value for name, value in case.body.items()}
    return Draft202012Validator(schema, format_checker=FormatChecker()).is_valid(fields)
