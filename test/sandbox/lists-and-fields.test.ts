import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Json } from '../../src/core/json.ts';
import { closeAll, testBed, type Answer, type TestBed } from './client.ts';

let bed: TestBed;
beforeEach(async () => {
  bed = await testBed();
});
afterEach(closeAll);

const FIELDS = '/api/contacts/fields';
const LISTS = '/api/contacts/lists';

async function addField(mergeTag: string, type: string, name: string = mergeTag): Promise<Answer> {
  return await bed.call('POST', FIELDS, { name, data_type: type, merge_tag: mergeTag });
}

function idOf(answer: Answer): number {
  return (answer.json as { id: number }).id;
}

describe('lists', () => {
  it('are created with 200, listed as a bare array, renamed and deleted', async () => {
    const created = await bed.call('POST', LISTS, { name: 'New users' });
    expect(created.status).toBe(200);
    const id = idOf(created);
    expect((await bed.call('GET', LISTS)).json).toEqual([{ id, name: 'New users' }]);
    await bed.call('PATCH', '/api/contacts/a%40example.com', {
      contact: { email: 'a@example.com', list_ids_included: [id] },
    });
    expect((await bed.call('PATCH', `${LISTS}/${id}`, { name: 'Newer' })).json).toEqual({ id, name: 'Newer' });
    expect((await bed.call('GET', `${LISTS}/${id}`)).json).toEqual({ id, name: 'Newer' });
    expect((await bed.call('DELETE', `${LISTS}/${id}`)).status).toBe(204);
    const gone = await bed.call('GET', `${LISTS}/${id}`);
    expect([gone.status, gone.json]).toEqual([404, { error: 'Not Found' }]);
    expect(bed.sandbox.state.contact('a@example.com')?.list_ids).toEqual([]);
  });

  it.each([[{}], [{ name: ' ' }], [{ name: 'x'.repeat(256) }], [[]]] as [Json][])('refuse %j', async (body) => {
    expect((await bed.call('POST', LISTS, body)).status).toBe(422);
  });

  it('are 50 at most', async () => {
    for (let n = 0; n < 50; n += 1) expect((await bed.call('POST', LISTS, { name: `l${n}` })).status).toBe(200);
    expect((await bed.call('POST', LISTS, { name: 'one more' })).status).toBe(422);
  });
});

describe('fields', () => {
  it.each(['text', 'integer', 'float', 'boolean', 'date'])('may be of type %s', async (type) => {
    const created = await addField('one', type, 'One');
    expect(created.status).toBe(201);
    const view = { id: idOf(created), name: 'One', data_type: type, merge_tag: 'one' };
    expect((await bed.call('GET', FIELDS)).json).toEqual([view]);
    expect((await bed.call('GET', `${FIELDS}/${view.id}`)).json).toEqual(view);
  });

  it.each([
    ['number', 'a', 'A', { data_type: ['is not included in the list'] }],
    ['text', 'a b', 'A', { merge_tag: ['is invalid'] }],
    ['text', '', '', { name: ["can't be blank"], merge_tag: ["can't be blank"] }],
    ['text', 'x'.repeat(81), 'A', { merge_tag: ['is too long (maximum is 80 characters)'] }],
    ['text', 'a', 'x'.repeat(81), { name: ['is too long (maximum is 80 characters)'] }],
    ['text', 'there', 'There', { name: ['has already been taken'], merge_tag: ['has already been taken'] }],
  ])('of type %s with tag %j are refused', async (type, tag, name, errors) => {
    await addField('there', 'text', 'There');
    const answer = await addField(tag, type, name);
    expect([answer.status, answer.json]).toEqual([422, { errors }]);
  });

  it('are 40 at most', async () => {
    for (let n = 0; n < 40; n += 1) expect((await addField(`f${n}`, 'text')).status).toBe(201);
    expect((await addField('one_more', 'text')).status).toBe(422);
  });

  it('keep their type, and take their values along when the merge tag changes', async () => {
    const id = idOf(await addField('plan', 'text'));
    await addField('other', 'text');
    const contact = { email: 'a@example.com', fields: { plan: 'pro' } };
    await bed.call('PATCH', '/api/contacts/a%40example.com', { contact });
    const changed = await bed.call('PATCH', `${FIELDS}/${id}`, { merge_tag: 'tier', data_type: 'integer' });
    expect(changed.json).toEqual({ id, name: 'plan', data_type: 'text', merge_tag: 'tier' });
    expect(bed.sandbox.state.contact('a@example.com')?.fields).toEqual({ tier: 'pro' });
    expect((await bed.call('PATCH', `${FIELDS}/${id}`, { merge_tag: 'other' })).status).toBe(422);
    expect((await bed.call('PATCH', '/api/contacts/a%40example.com', { contact })).status).toBe(422);
  });

  it('are deleted, unless something uses them', async () => {
    const id = idOf(await addField('plan', 'text'));
    bed.sandbox.state.useField('plan', 'This field is used in the conditions of segment(s): Pro.');
    const used = await bed.call('DELETE', `${FIELDS}/${id}`);
    expect([used.status, used.json]).toEqual([
      422,
      { errors: { usage: ['This field is used in the conditions of segment(s): Pro.'] } },
    ]);
    const free = idOf(await addField('free', 'text'));
    expect((await bed.call('DELETE', `${FIELDS}/${free}`)).status).toBe(204);
    expect((await bed.call('DELETE', `${FIELDS}/${free}`)).status).toBe(404);
  });

  it('hold values safely whatever their merge tag is called', async () => {
    expect((await addField('__proto__', 'text')).status).toBe(201);
    const body = '{"contact":{"email":"a@example.com","fields":{"__proto__":"x"}}}';
    const answer = await bed.call('PATCH', '/api/contacts/a%40example.com', body);
    expect([answer.status, answer.text.includes('"__proto__":"x"')]).toEqual([200, true]);
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });
});
