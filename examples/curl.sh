#!/usr/bin/env bash
# Sends every documented request of the Tenant API once. See examples/README.md.
#
#   SCRAPE_URL   a public web page to read; unset: the scrape request is skipped
set -euo pipefail

# Prints the value at a path of keys in a JSON document on standard input: `field data id`.
field() {
    python3 -c 'import json, sys
value = json.load(sys.stdin)
for key in sys.argv[1:]:
    value = value[key]
print(value)' "$@"
}

URL=${PARLANCE_URL:-$(field url <.parlance/up.json)}
KEY=${PARLANCE_API_KEY:-$(cat .parlance/api_key)}
API=$URL/api/v1
SESSION=curl-$(date +%s)

# call METHOD PATH [curl options]: prints the response body; a status of 400 or above ends the script.
call() {
    local method=$1 path=$2
    shift 2
    curl --silent --show-error --fail-with-body --request "$method" "$API$path" --header "X-API-Key: $KEY" "$@"
}

# post PATH BODY, put PATH BODY: the same with a JSON body.
post() { call POST "$1" --header 'Content-Type: application/json' --data "$2"; }
put() { call PUT "$1" --header 'Content-Type: application/json' --data "$2"; }

# Prints a title, then the JSON document on standard input, indented.
show() {
    printf '\n# %s\n' "$1"
    python3 -m json.tool --no-ensure-ascii
}

# Waits until a source has left the states `queued` and `processing`.
wait_for_source() {
    for _ in $(seq 60); do
        case $(call GET "/knowledge/sources/$1" | field data source status) in
            queued | processing) sleep 0.5 ;;
            *) return ;;
        esac
    done
    echo "source $1 is not ready after 30 seconds" >&2
    exit 1
}

# --- Tenant ---
call GET /tenant/info | show 'tenant information'
call GET /tenant/usage | show 'usage and limits'

# --- Bots ---
BOT=$(post /bots '{
    "name": "Sales assistant",
    "channel_type": "webchat",
    "description": "Helps with questions about products",
    "welcome_message": "Hello! How can I help you with your purchase?",
    "system_prompt": "You are a knowledgeable sales assistant. Answer briefly.",
    "is_active": true,
    "language": "en",
    "personality": "friendly",
    "bot_role": "sales"
}' | field data id)
# Deletes the bot also when a later request fails.
trap 'call DELETE "/bots/$BOT" | show "bot deleted"' EXIT

call GET '/bots?page=1&per_page=10&channel_type=webchat' | show 'bots'
call GET "/bots/$BOT" | show 'one bot'
put "/bots/$BOT" '{"name": "Shop assistant", "welcome_message": "Hello from the shop!", "is_active": true}' |
    show 'bot updated'

# --- Knowledge ---
SOURCE=$(post /knowledge/sources "{
    \"bot_id\": \"$BOT\",
    \"name\": \"Opening hours\",
    \"source_type\": \"text\",
    \"content\": \"Our shop is open from 9:00 to 18:00 on weekdays. It is closed on Sundays.\"
}" | field data id)

FILE=$(mktemp --suffix=.md)
printf '# Returns\n\nYou can return any product within 30 days of delivery. Keep the receipt.\n' >"$FILE"
UPLOAD=$(call POST /knowledge/upload --form "bot_id=$BOT" --form "file=@$FILE;filename=returns.md" | field data id)
rm -f "$FILE"

wait_for_source "$SOURCE"
wait_for_source "$UPLOAD"
call GET "/knowledge/sources?bot_id=$BOT" | show 'knowledge sources'
call GET "/knowledge/sources/$UPLOAD" | show 'one source with its chunks'

if [ -n "${SCRAPE_URL:-}" ]; then
    post /knowledge/scrape "{\"bot_id\": \"$BOT\", \"url\": \"$SCRAPE_URL\", \"include_subpages\": true, \"max_pages\": 10}" |
        show 'web site read'
fi

# --- Conversations ---
post "/conversations/$SESSION/messages" "{\"bot_id\": \"$BOT\", \"message\": \"How long do I have to return a product?\"}" |
    show 'question and cited answer'
call GET "/conversations?bot_id=$BOT&status=active" | show 'conversations'
call GET "/conversations/$SESSION" | show 'one conversation with its messages'

# --- Analytics ---
call GET '/analytics/overview?period=7' | show 'analytics overview'
call GET "/analytics/conversations?period=30&bot_id=$BOT" | show 'conversation analytics'

# --- Deletion ---
call DELETE "/knowledge/sources/$SOURCE" | show 'source deleted'
