// Creates a bot, sends a message and reads the analytics. See examples/README.md.
import { readFileSync } from 'node:fs';

const url = process.env.PARLANCE_URL ?? JSON.parse(readFileSync('.parlance/up.json', 'utf8')).url;
const apiKey = process.env.PARLANCE_API_KEY ?? readFileSync('.parlance/api_key', 'utf8').trim();

/** Sends a request and returns the whole envelope; throws when `success` is false. */
async function call(method, path, body) {
  const response = await fetch(`${url}/api/v1${path}`, {
    method,
    headers: { 'X-API-Key': apiKey, 'Content-Type': 'application/json' },
    body: body && JSON.stringify(body),
  });
  const envelope = await response.json();
  if (!envelope.success) {
    throw new Error(`${method} ${path}: ${response.status} ${envelope.error}: ${envelope.message}`);
  }
  return envelope;
}

async function createBot() {
  const { data } = await call('POST', '/bots', {
    name: 'Customer service bot',
    channel_type: 'webchat',
    description: 'Answers customer questions',
    welcome_message: 'Hello! How can I help you today?',
    system_prompt: 'You are a helpful customer service representative.',
  });
  console.log(`Bot created: ${data.name} (${data.id})`);
  return data.id;
}

/** Without a bot_id, the tenant's default bot answers. */
async function sendMessage(sessionId, message) {
  const { data } = await call('POST', `/conversations/${encodeURIComponent(sessionId)}/messages`, { message });
  console.log(`User: ${data.user_message.message}`);
  console.log(`Bot:  ${data.bot_response.message}`);
  return data.bot_response;
}

async function getAnalytics() {
  const { data } = await call('GET', '/analytics/overview?period=7');
  console.log(`Last ${data.period_days} days: ${data.total_conversations} conversations, ${data.total_messages} messages`);
  return data;
}

const botId = await createBot();
try {
  await sendMessage('javascript-example', 'How do I add more workers?');
  await getAnalytics();
} finally {
  const { message } = await call('DELETE', `/bots/${botId}`);
  console.log(message);
}
