// The API through types that are generated from its specification: makes a bot, talks to it, lists
// bots. `api.d.ts` is written beside this file by `.ci/contract`.
//
// node client.js <address of the API> <key>

import assert from 'node:assert/strict';
import process from 'node:process';

import createClient from 'openapi-fetch';

import type { components, paths } from './api.js';

type ErrorBody = components['schemas']['ErrorBody'];

const [url, key] = process.argv.slice(2);
assert.ok(url && key, 'usage: client.js <address of the API> <key>');

const api = createClient<paths, 'application/json'>({ baseUrl: url, headers: { 'X-API-Key': key } });

/** The body of a success. */
function given<T>(answer: { data?: T; error?: ErrorBody; response: Response }): T {
  const { data, error, response } = answer;
  assert.ok(data, `${response.url}: ${response.status} ${error?.code}: ${error?.message}`);
  return data;
}

const made = given(
  await api.POST('/bots', { body: { name: 'Typed bot', channel_type: 'webchat', personality: null } }),
);
assert.equal(made.success, true);
assert.equal(made.data.name, 'Typed bot');
assert.equal(made.data.personality, null);

const said = given(
  await api.POST('/conversations/{session_id}/messages', {
    params: { path: { session_id: 'typed@contract' } },
    body: { message: 'What are your business hours?', bot_id: made.data.id },
  }),
);
assert.equal(said.data.user_message.message, 'What are your business hours?');
assert.notEqual(said.data.bot_response.message, '');
assert.deepEqual(said.data.bot_response.sources, []);

const listed = given(
  await api.GET('/bots', {
    params: { query: { page: 1, per_page: 100, channel_type: 'webchat', is_active: true } },
  }),
);
assert.ok(listed.data.some((bot) => bot.id === made.data.id));
assert.equal(listed.pagination.page, 1);

// What the types refuse, the API refuses too, and says why in the type of its errors.
// @ts-expect-error: there is no such channel.
const refused = await api.POST('/bots', { body: { name: 'Typed bot', channel_type: 'fax' } });
assert.equal(refused.response.status, 400);
assert.equal(refused.error?.details?.[0]?.field, 'channel_type');

console.log(`made ${made.data.id}, heard: ${said.data.bot_response.message}`);
