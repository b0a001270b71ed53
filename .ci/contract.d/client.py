"""The API through the client that openapi-python-client generates from its specification: makes a
bot, talks to it, lists bots. `parlance_client` is written beside this file by `.ci/contract`.

python client.py <address of the API> <key>"""

import sys
from typing import TypeVar

from parlance_client import AuthenticatedClient
from parlance_client.api.bots import create_bot, list_bots
from parlance_client.api.conversations import send_message
from parlance_client.models import CreateBot, ErrorBody, SendMessage

T = TypeVar("T")


def given(answer: T | ErrorBody | None) -> T:
    """The body of a success."""
    if answer is None or isinstance(answer, ErrorBody):
        sys.exit(f"refused: {answer}")
    return answer


def check(holds: bool, what: object) -> None:
    if not holds:
        sys.exit(f"unexpected: {what}")


def main(url: str, key: str) -> None:
    client = AuthenticatedClient(
        base_url=url, token=key, prefix="", auth_header_name="X-API-Key", raise_on_unexpected_status=True
    )

    # A bot with nothing optional: in the answer, and in the list, those are null.
    plain = CreateBot.from_dict({"name": "Generated bot", "channel_type": "webchat"})
    bot = given(create_bot.sync(client=client, body=plain)).data
    check(bot.name == "Generated bot" and bot.personality is None, bot)

    question = SendMessage.from_dict({"message": "What are your business hours?", "bot_id": str(bot.id)})
    said = given(send_message.sync("generated@contract", client=client, body=question)).data
    check(said.user_message.message == "What are your business hours?", said)
    check(said.bot_response.message != "", said)

    page = given(list_bots.sync(client=client, is_active=True))
    check(bot.id in [listed.id for listed in page.data], page)

    nameless = CreateBot.from_dict({"name": "", "channel_type": "webchat"})
    refused = create_bot.sync(client=client, body=nameless)
    check(isinstance(refused, ErrorBody) and refused.success is False, refused)

    print(f"made {bot.id}, heard: {said.bot_response.message}")


if __name__ == "__main__":
    main(*sys.argv[1:])
