// Uses the API through types generated from its specification: creates a bot, talks to it, lists bots. `.ci/contract`
// generates `api.d.ts` next to this file.
//
// usage: node client.js <URL of the API> <key>

import assert from 'node:assert/strict';
import process from 'node:process';

import createClient from 'openapi-fetch';

import type { components, paths } from './api.js';

type ErrorBody = components['schemas']['ErrorBody'];

const [url, key] = process.argv.slice(2);
assert.ok(url && key, 'usage: client.js <URL of the API> <key>');

const api = createClient<paths, 'application/json'>({ baseUrl: url, headers: { 'X-API-Key': key } });

/** Returns the body of a successful response. */
function success<T>(result: { data?: T; error?: ErrorBody; response: Response }): T {
  const { data, error, response } = result;
  assert.ok(data, `${response.url}: ${response.status} ${error?.code}: ${error?.message}`);
  return data;
}

const created = success(
  await api.POST('/bots', { body: { name: 'Typed bot', channel_type: 'webchat', personality: null } }),
);
assert.equal(created.success, true);
assert.equal(created.data.name, 'Typed bot');
assert.equal(created.data.personality, null);

const sent = success(
  await api.POST('/conversations/{session_id}/messages', {
    params: { path: { session_id: 'typed@contract' } },
    body: { message: 'What are your business hours?', bot_id: created.data.id },
  }),
);
assert.equal(sent.data.user_message.message, 'What are your business hours?');
assert.notEqual(sent.data.bot_response.message, '');
assert.deepEqual(sent.data.bot_response.sources, []);

const listed = success(
  await api.GET('/bots', {
    params: { query: { page: 1, per_page: 100, channel_type: 'webchat', is_active: true } },
  }),
);
assert.ok(listed.data.some((bot) => bot.id === created.data.id));
assert.equal(listed.pagination.page, 1);

// A request rejected by the types is rejected by the API too, with a typed error.
// @ts-expect-error: unknown channel.
const refused = await api.POST('/bots', { body: { name: 'Typed bot', channel_type: 'fax' } });
assert.equal(refused.response.status, 400);
assert.equal(refused.error?.details?.[0]?.field, 'channel_type');

console.log(`created ${created.data.id}, answer: ${sent.data.bot_response.message}`);
