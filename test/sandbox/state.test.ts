import { afterEach, beforeEach, expect, it } from 'vitest';
import { parseJson, renderJson, type Json } from '../../src/core/json.ts';
import { closeAll, testBed, type TestBed } from './client.ts';

let bed: TestBed;
beforeEach(async () => {
  bed = await testBed({ now: () => 1_000, jobStepMs: 1_000 });
});
afterEach(closeAll);

/** Something of everything that an account can hold, an import and an export under way among it. */
async function fill(): Promise<void> {
  bed.sandbox.state.addField('big', 'integer');
  const list = bed.sandbox.state.addList('Users').id;
  const contact = { email: 'ann@example.com', fields: { big: 1 }, list_ids_included: [list] };
  await bed.call(
    'PATCH',
    '/api/contacts/ann%40example.com',
    renderJson({ contact }).replace('1}', '9007199254740993}'),
  );
  await bed.call('POST', '/api/contacts/ann%40example.com/events', { name: 'seen', params: { n: 1 } });
  bed.sandbox.state.suppress('ben@example.com', 'hard bounce');
  await bed.call('POST', '/api/contacts/exports', { filters: [] });
  await bed.call('GET', '/api/contacts/exports/1');
  await bed.call('GET', '/api/contacts/exports/1');
  await bed.call('POST', '/api/contacts/imports', { contacts: [{ email: 'late@example.com', fields: { big: 2 } }] });
}

it('is the same after it was saved and loaded elsewhere, jobs that are under way too', async () => {
  await fill();
  const saved = parseJson(renderJson(bed.sandbox.save()));
  const again = await testBed({ now: () => 1_000, state: saved });
  expect(renderJson(again.sandbox.save())).toBe(renderJson(saved));
  expect(renderJson(saved)).toContain('9007199254740993');
  for (const one of [bed, again]) {
    expect(one.sandbox.state.contactCount).toBe(1);
    await one.call('GET', '/api/contacts/imports/1');
    expect((await one.call('GET', '/api/contacts/imports/1')).json).toMatchObject({ created_contacts_count: 1 });
    expect((await one.call('POST', '/api/contacts', { contact: { email: 'ben@example.com' } })).json).toMatchObject({
      data: { status: 'unsubscribed' },
    });
    // Numbers go on where they were: no id is given twice.
    expect((await one.call('POST', '/api/contacts/lists', { name: 'More' })).json).toMatchObject({ id: 3 });
  }
});

it('is read and written by the control API, and those who watch begin again', async () => {
  await fill();
  const saved = await bed.control('GET', '/_sandbox/state');
  await bed.control('POST', '/_sandbox/reset');
  expect(bed.sandbox.state.contactCount).toBe(0);
  const stream = await fetch(`${bed.sandbox.url}/_sandbox/events`, {
    headers: { authorization: `Bearer ${bed.sandbox.controlKey}` },
  });
  const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader();
  expect((await reader.read()).value).toContain('"contacts":[]');
  expect((await bed.control('PUT', '/_sandbox/state', saved.text)).status).toBe(204);
  expect((await reader.read()).value).toMatch(/^\{"type":"hello".*ann@example\.com/);
  expect((await bed.control('GET', '/_sandbox/state')).text).toBe(saved.text);
  await reader.cancel();
});

it.each<[string, (state: Record<string, Json>) => Json]>([
  ['nothing', () => ({})],
  ['another version', (state) => ({ ...state, rollcall_sandbox: 2 })],
  ['a contact without an address', (state) => hole(state, 'contacts', [{ id: '1' }])],
  ['jobs that are none', (state) => hole(state, 'exports', { lastId: 'x' })],
])('refuses %s and stays as it was', async (_, change) => {
  await fill();
  const before = renderJson(bed.sandbox.save());
  const answer = await bed.control('PUT', '/_sandbox/state', change(parseJson(before) as Record<string, Json>));
  expect([answer.status, answer.json]).toMatchObject([400, { error: { code: 'RC_SANDBOX_STATE' } }]);
  expect(renderJson(bed.sandbox.save())).toBe(before);
});

function hole(state: Record<string, Json>, part: string, value: Json): Json {
  const { mailtrap } = state['destinations'] as { mailtrap: Record<string, Json> };
  return { ...state, destinations: { mailtrap: { ...mailtrap, [part]: value } } };
}

it('empties a destination that the state says nothing of', async () => {
  await fill();
  bed.sandbox.load({ rollcall_sandbox: 1, destinations: {} });
  expect(bed.sandbox.state.contactCount).toBe(0);
  expect(bed.sandbox.state.lists()).toEqual([]);
});
