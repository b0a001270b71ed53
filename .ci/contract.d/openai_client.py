"""The OpenAI-compatible door through OpenAI's own package: makes a bot that knows a text, lists it as a model,
asks it whole and as a stream, with both clients, and meets errors as that package raises them.

python openai_client.py <address of the server> <key>"""

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
    with opener.open(request, timeout=30) as answer:
        return json.load(answer)["data"]


def taught_bot(url: str, key: str) -> str:
    bot = call(url, key, "POST", "/bots", {"name": "OpenAI's", "channel_type": "api"})["id"]
    source = {"bot_id": bot, "name": "Returns", "source_type": "text", "content": TEXT}
    source = call(url, key, "POST", "/knowledge/sources", source)["id"]
    for _ in range(300):
        status = call(url, key, "GET", f"/knowledge/sources/{source}")["source"]["status"]
        if status == "ready":
            return bot
        time.sleep(0.1)
    sys.exit(f"the source is {status}")


async def asynchronously(url: str, key: str, bot: str) -> str:
    client = openai.AsyncOpenAI(base_url=f"{url}/v1", api_key=key)
    stream = await client.chat.completions.create(model=bot, messages=QUESTION, stream=True)
    return "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])


def main(url: str, key: str) -> None:
    bot = taught_bot(url, key)
    client = openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0)
    check(bot in [model.id for model in client.models.list()], "the bot is no model")

    whole = client.chat.completions.create(model=bot, messages=QUESTION)
    text = whole.choices[0].message.content
    check("thirty days" in text and whole.choices[0].finish_reason == "stop", whole)
    check(whole.model_extra["sources"][0]["source_name"] == "Returns", whole)

    stream = client.chat.completions.create(
        model=bot, messages=QUESTION, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    check(said == text, (said, text))
    check(chunks[-1].usage is not None, chunks[-1])
    check(asyncio.run(asynchronously(url, key, bot)) == text, "the asynchronous client heard something else")

    for expected, asked in [
        (openai.AuthenticationError, lambda: client.with_options(api_key="tk_no").models.list()),
        (openai.NotFoundError, lambda: client.chat.completions.create(model="gpt-4o", messages=QUESTION)),
        (openai.BadRequestError, lambda: client.chat.completions.create(model=bot, messages=[])),
    ]:
        try:
            asked()
        except expected:
            continue
        sys.exit(f"no {expected.__name__}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
