import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Json } from '../../src/core/json.ts';
import { closeAll, testBed, type TestBed } from './client.ts';

const IMPORTS = '/api/contacts/imports';
const EXPORTS = '/api/contacts/exports';

let time = 1_000_000;
let bed: TestBed;
beforeEach(async () => {
  bed = await testBed({ now: () => time, jobStepMs: 1_000, maxContacts: 3 });
  bed.sandbox.state.addField('plan', 'text');
});
afterEach(closeAll);

function rows(count: number): Json {
  return Array.from({ length: count }, (_, n) => ({ email: `p${n}@example.com` }));
}

async function finish(id: number): Promise<string> {
  await bed.call('GET', `${EXPORTS}/${id}`);
  const answer = (await bed.call('GET', `${EXPORTS}/${id}`)).json as { status: string; url: string };
  expect(answer.status).toBe('finished');
  return answer.url;
}

describe('imports', () => {
  it('go from created over started to finished as they are polled, and act when they finish', async () => {
    bed.sandbox.state.suppress('b@example.com');
    await bed.call('PATCH', '/api/contacts/a%40example.com', { contact: { email: 'a@example.com' } });
    const list = bed.sandbox.state.addList('one').id;
    const contacts = ['A@example.com', 'b@example.com', 'c@example.com', 'd@example.com'].map((email) => ({
      email,
      fields: { plan: 'pro' },
      list_ids_included: [list],
    }));
    const created = await bed.call('POST', IMPORTS, { contacts });
    expect([created.status, created.json]).toEqual([201, { id: 1, status: 'created' }]);
    expect((await bed.call('GET', `${IMPORTS}/1`)).json).toEqual({ id: 1, status: 'started' });
    expect(bed.sandbox.state.contactCount).toBe(1);
    const finished = {
      id: 1,
      status: 'finished',
      created_contacts_count: 2,
      updated_contacts_count: 1,
      contacts_over_limit_count: 1,
    };
    expect((await bed.call('GET', `${IMPORTS}/1`)).json).toEqual(finished);
    expect((await bed.call('GET', `${IMPORTS}/1`)).json).toEqual(finished);
    expect(bed.sandbox.state.contact('a@example.com')).toMatchObject({ fields: { plan: 'pro' }, list_ids: [list] });
    expect(bed.sandbox.state.contact('b@example.com')?.status).toBe('unsubscribed');
  });

  it('finish by the clock without being polled', async () => {
    await bed.call('POST', IMPORTS, { contacts: [{ email: 'a@example.com' }] });
    time += 1_999;
    expect(bed.sandbox.state.contactCount).toBe(0);
    time += 1;
    expect(bed.sandbox.state.contactCount).toBe(1);
  });

  it('are refused whole for bad rows, with what is wrong with each', async () => {
    bed.sandbox.addFaults([{ reject: 'banned@example.com' }]);
    const list = bed.sandbox.state.addList('one').id;
    const contacts = [
      { email: 'good@example.com' },
      { email: 'nope' },
      { email: 'a@x.y', fields: { nope: 1, plan: 5 } },
      { email: 'b@example.com', list_ids_included: [list], list_ids_excluded: [list] },
      { email: 'banned@example.com' },
    ];
    const answer = await bed.call('POST', IMPORTS, { contacts });
    expect([answer.status, answer.json]).toEqual([
      422,
      {
        errors: [
          { email: 'nope', errors: { email: ['is invalid'] } },
          {
            email: 'a@x.y',
            errors: {
              email: ['top level domain is too short'],
              plan: ['is invalid'],
              fields: ['contains invalid values: nope'],
            },
          },
          {
            email: 'b@example.com',
            errors: { base: [`same list_ids ${list} are specified both as included and excluded`] },
          },
          { email: 'banned@example.com', errors: { email: ['is invalid'] } },
        ],
      },
    ]);
    expect(bed.sandbox.state.contactCount).toBe(0);
  });

  it('take 50,000 rows and no more', async () => {
    const over = await bed.call('POST', IMPORTS, { contacts: rows(50_001) });
    expect(over.status).toBe(422);
    expect(over.text).toContain('cannot import more than 50000 contacts at once');
    expect((await bed.call('POST', IMPORTS, { contacts: rows(50_000) })).status).toBe(201);
  });

  it('are 404 when unknown', async () => {
    const answer = await bed.call('GET', `${IMPORTS}/99`);
    expect([answer.status, answer.json]).toEqual([404, { error: 'Not Found' }]);
  });
});

describe('exports', () => {
  it('run one at a time and end in a gzipped CSV that needs no token', async () => {
    const list = bed.sandbox.state.addList('one').id;
    for (const [email, plan] of [
      ['a@example.com', 'p,"r"o'],
      ['b@example.com', 'free'],
    ] as const) {
      const contact = { email, fields: { plan }, list_ids_included: [list], unsubscribed: email.startsWith('b') };
      await bed.call('PATCH', `/api/contacts/${encodeURIComponent(email)}`, { contact });
    }
    const filters = [
      { name: 'list_id', operator: 'equal', value: [list] },
      { name: 'subscription_status', operator: 'equal', value: 'subscribed' },
    ];
    const created = await bed.call('POST', EXPORTS, { filters });
    expect([created.status, created.json]).toMatchObject([201, { id: 1, status: 'created', url: null }]);
    const second = await bed.call('POST', EXPORTS, { filters: [] });
    expect(second.status).toBe(422);
    expect(second.text).toContain('There is a previous export initiated');

    const url = await finish(1);
    const file = await fetch(url);
    const csv = gunzipSync(Buffer.from(await file.arrayBuffer())).toString();
    expect(csv.split('\r\n')).toEqual([
      'id,email,status,list_ids,created_at,updated_at,plan',
      expect.stringMatching(/^[0-9a-f-]{36},a@example\.com,subscribed,\d+,.*,"p,""r""o"$/),
      '',
    ]);
    expect((await bed.call('POST', EXPORTS, {})).status).toBe(201);
    expect((await fetch(`${url}x`)).status).toBe(404);
  });

  it.each([['invalid'], [[{ name: 'list_id', operator: 'equal', value: 'x' }]], [[{ name: 'age' }]]] as [Json][])(
    'refuse the filters %j as recorded traffic shows',
    async (filters) => {
      const answer = await bed.call('POST', EXPORTS, { filters });
      expect([answer.status, answer.json]).toEqual([422, { errors: { filters: 'invalid' } }]);
    },
  );

  it('are 404 when unknown', async () => {
    expect((await bed.call('GET', `${EXPORTS}/99`)).json).toEqual({ error: 'Not Found' });
  });
});
