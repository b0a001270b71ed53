"""Tests the OpenAI-compatible endpoint with OpenAI's own package: creates a bot with one document, lists it as a model,
requests completions with and without streaming, with the sync and async clients, and checks the raised errors.

usage: openai_client.py <URL of the server> <key>"""

import asyncio
import json
import sys
import time
import urllib.request

import openai

TEXT = "# Returns\n\nGoods may be returned within thirty days of purchase.\n"
QUESTION = [{"role": "user", "content": "When may goods be returned?"}]


def check(holds: bool, what: object) -> None:
    if not holds:
        sys.exit(f"unexpected: {what}")


def call(url: str, key: str, method: str, path: str, body: object = None) -> dict:
    data = None if body is None else json.dumps(body).encode()
    headers = {"X-API-Key": key, "Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}/api/v1{path}", data=data, headers=headers, method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=30) as response:
        return json.load(response)["data"]


def create_bot(url: str, key: str) -> str:
    bot = call(url, key, "POST", "/bots", {"name": "OpenAI's", "channel_type": "api"})["id"]
    source = {"bot_id": bot, "name": "Returns", "source_type": "text", "content": TEXT}
    source = call(url, key, "POST", "/knowledge/sources", source)["id"]
    for _ in range(300):
        status = call(url, key, "GET", f"/knowledge/sources/{source}")["source"]["status"]
        if status == "ready":
            return bot
        time.sleep(0.1)
    sys.exit(f"the source is {status}")


async def stream_async(url: str, key: str, bot: str) -> str:
    client = openai.AsyncOpenAI(base_url=f"{url}/v1", api_key=key)
    stream = await client.chat.completions.create(model=bot, messages=QUESTION, stream=True)
    return "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])


def main(url: str, key: str) -> None:
    bot = create_bot(url, key)
    client = openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0)
    check(bot in [model.id for model in client.models.list()], "the bot is not listed as a model")

    whole = client.chat.completions.create(model=bot, messages=QUESTION)
    text = whole.choices[0].message.content
    check("thirty days" in text and whole.choices[0].finish_reason == "stop", whole)
    check(whole.model_extra["sources"][0]["source_name"] == "Returns", whole)

    stream = client.chat.completions.create(
        model=bot, messages=QUESTION, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    streamed = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    check(streamed == text, (streamed, text))
    check(chunks[-1].usage is not None, chunks[-1])
    check(asyncio.run(stream_async(url, key, bot)) == text, "the async client got a different answer")

    for expected, send in [
        (openai.AuthenticationError, lambda: client.with_options(api_key="tk_no").models.list()),
        (openai.NotFoundError, lambda: client.chat.completions.create(model="gpt-4o", messages=QUESTION)),
        (openai.BadRequestError, lambda: client.chat.completions.create(model=bot, messages=[])),
    ]:
        try:
            send()
        except expected:
            continue
        sys.exit(f"{expected.__name__} was not raised")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
