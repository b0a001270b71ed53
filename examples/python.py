"""Creates a bot, lists the bots, sends a message and reads the analytics. See examples/README.md."""

import json
import os
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path


class TenantApi:
    """A client of the Tenant API. Each method returns the response envelope as a dict."""

    def __init__(self, url: str, api_key: str):
        self.base = f"{url}/api/v1"
        self.headers = {"X-API-Key": api_key, "Content-Type": "application/json"}

    def call(self, method: str, path: str, body=None, **query) -> dict:
        """Sends one request. Errors of the API are returned, not raised: check `success`."""
        query = {name: value for name, value in query.items() if value is not None}
        if query:
            path = f"{path}?{urllib.parse.urlencode(query)}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, self.headers, method=method)
        try:
            with urllib.request.urlopen(request) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            return json.load(error)

    def create_bot(self, name: str, channel_type: str, **fields) -> dict:
        """`fields`: description, welcome_message, system_prompt, language, and the others of the API."""
        return self.call("POST", "/bots", {"name": name, "channel_type": channel_type, **fields})

    def list_bots(self, page=1, per_page=20, channel_type=None, is_active=None) -> dict:
        if is_active is not None:
            is_active = str(is_active).lower()
        return self.call(
            "GET", "/bots", page=page, per_page=per_page, channel_type=channel_type, is_active=is_active
        )

    def delete_bot(self, bot_id: str) -> dict:
        return self.call("DELETE", f"/bots/{bot_id}")

    def send_message(self, session_id: str, message: str) -> dict:
        """Without a bot_id, the tenant's default bot answers."""
        session = urllib.parse.quote(session_id, safe="")
        return self.call("POST", f"/conversations/{session}/messages", {"message": message})

    def get_analytics(self, period=30) -> dict:
        return self.call("GET", "/analytics/overview", period=period)


def checked(envelope: dict) -> dict:
    """The envelope, if the request succeeded; otherwise ends the program with the API's error."""
    if not envelope["success"]:
        raise SystemExit(f"{envelope['error']}: {envelope['message']}")
    return envelope


def main():
    url = os.environ.get("PARLANCE_URL") or json.loads(Path(".parlance/up.json").read_text())["url"]
    api_key = os.environ.get("PARLANCE_API_KEY") or Path(".parlance/api_key").read_text().strip()
    api = TenantApi(url, api_key)

    bot = checked(
        api.create_bot(
            name="Support bot",
            channel_type="webchat",
            description="Customer support assistant",
            welcome_message="Hi! How can I help you?",
            system_prompt="You are a helpful customer support agent.",
        )
    )["data"]
    print(f"Bot created: {bot['name']} ({bot['id']})")
    try:
        print(f"Bots: {checked(api.list_bots())['pagination']['total']}")

        answer = checked(api.send_message("python-example", "How do I back up the database?"))["data"]
        print(f"Bot: {answer['bot_response']['message']}")

        analytics = checked(api.get_analytics(period=7))["data"]
        print(f"Conversations: {analytics['total_conversations']}, messages: {analytics['total_messages']}")
    finally:
        print(checked(api.delete_bot(bot["id"]))["message"])


if __name__ == "__main__":
    main()
