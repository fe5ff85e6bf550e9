import { describe, expect, test } from 'vitest';
import type { Delivery, HttpResponse } from '../../core/destination.ts';
import { bulk } from './bulk.ts';
import { csvText, multipart } from './csv-file.ts';
import { sendry } from './index.ts';

const options = { api_key: 'k', audience_id: 'aud_1', upsert_keeps_unsubscribed: true };
const config = sendry.config.parse(options);
const delivery: Delivery = {
  contactId: '1',
  version: '1',
  action: 'upsert',
  address: 'a+b@x.io',
  remote: null,
  attributes: { first_name: 'Ö "q"', PLAN: 'pro', TAGS: ['a'] },
  takeover: false,
  consent: 'basis',
};

function answer(status: number, body: unknown): HttpResponse {
  return { status, headers: {}, body: typeof body === 'string' ? body : JSON.stringify(body) };
}

describe('an import', () => {
  test('is JSON with the audience said once for all', () => {
    const rows = [bulk.row(delivery, {}, config), { email: 'b@x.io' }];
    const request = bulk.request(rows, config);
    expect([request.method, request.url]).toEqual(['POST', 'https://api.sendry.online/v1/contacts/import']);
    expect(JSON.parse(request.body ?? '')).toEqual({
      contacts: [
        { email: 'a+b@x.io', first_name: 'Ö "q"', metadata: { PLAN: 'pro', TAGS: ['a'] } },
        { email: 'b@x.io' },
      ],
      audience_id: 'aud_1',
    });
  });

  test('of people who arrived before joins nothing again', () => {
    const again = bulk.row({ ...delivery, remote: { id: null, address: 'A+b@x.io', imported: true } }, {}, config);
    expect(bulk.request([again], config).body).not.toContain('audience_id');
  });

  test('by file is the CSV of the recipe as a multipart form, with further attributes as further columns', () => {
    const byFile = sendry.config.parse({ ...options, bulk: 'bulk-import', attributes_as: 'both' });
    const request = bulk.request([bulk.row(delivery, {}, byFile), { email: 'b@x.io', first_name: null }], byFile);
    expect(request.url).toBe('https://api.sendry.online/v1/contacts/bulk-import');
    expect(request.headers['content-type']).toBe('multipart/form-data; boundary=rollcall-part-0');
    expect(request.body?.split('\r\n')).toEqual([
      '--rollcall-part-0',
      'content-disposition: form-data; name="audience_id"',
      '',
      'aud_1',
      '--rollcall-part-0',
      'content-disposition: form-data; name="file"; filename="contacts.csv"',
      'content-type: text/csv',
      '',
      'email,first_name,last_name,PLAN,TAGS',
      'a+b@x.io,"Ö ""q""",,pro,"[""a""]"',
      'b@x.io,,,,',
      '',
      '--rollcall-part-0--',
      '',
    ]);
  });

  test('by file has no column that could be read as consent', () => {
    const byFile = sendry.config.parse({ ...options, bulk: 'bulk-import' });
    const attributes = { unsubscribed: false, Subscribed: true, PLAN: 'pro', email: 'z@x.io' };
    const { body } = bulk.request([bulk.row({ ...delivery, attributes }, {}, byFile)], byFile);
    expect(body).toContain('email,first_name,last_name,PLAN\r\na+b@x.io,,,pro\r\n');
  });

  test('the boundary stands in no part, and equal parts make an equal body', async () => {
    const file = {
      field: 'file',
      name: 'f.csv',
      text: csvText([{ email: 'rollcall-part-0', note: ' a\nb' }], ['email']),
    };
    const made = multipart({}, file);
    expect(made).toEqual(multipart({}, file));
    expect(made.contentType).toContain('rollcall-part-1');
    // Read back by an independent reader.
    const form = await new Response(made.body, { headers: { 'content-type': made.contentType } }).formData();
    const found = form.get('file');
    expect(found instanceof File ? await found.text() : '').toBe('email,note\r\nrollcall-part-0," a\nb"\r\n');
  });
});

describe('the answer to an import', () => {
  const rows = [{ email: 'a@x.io' }, { email: 'b@x.io' }, { email: 'c@x.io' }];

  test.each([
    ['of the SDKs', { created: 2, updated: 1, total: 3 }],
    ['of the documentation', { imported: 3, skipped: 0, errors: [] }],
    ['under data', { data: { created: 3 } }],
  ])('%s that counts everybody', (_, body) => {
    expect(bulk.started(answer(200, body), rows)).toEqual({
      kind: 'answered',
      outcome: { kind: 'delivered' },
      rows: new Map(),
    });
  });

  test.each([
    ['by address', { email: 'B@x.io', message: 'is invalid' }],
    ['by place', { index: 1, error: 'is invalid' }],
  ])('rows left out and named %s are dead letters', (_, entry) => {
    const body = { imported: 2, skipped: 1, errors: [entry] };
    const refused = [[1, { kind: 'reject', code: 'import_refused', message: 'is invalid' }]];
    const started = bulk.started(answer(200, body), rows);
    expect(started.kind === 'answered' && [started.outcome.kind, ...started.rows]).toEqual(['delivered', ...refused]);
    // One more is missing: what is left is sent again without the named one.
    const less = bulk.started(answer(200, { ...body, imported: 1 }), rows);
    expect(less.kind === 'refused' && [...less.rows]).toEqual(refused);
  });

  test.each([
    ['people are skipped without a name', { imported: 1, skipped: 2, errors: [] }],
    ['errors are words', { imported: 2, skipped: 1, errors: ['1 row failed'] }],
    ['errors name nobody of ours', { imported: 2, errors: [{ email: 'z@x.io' }, { index: 9 }, { index: -1 }] }],
    ['fewer were created and updated', { created: 1, updated: 1, total: 3 }],
    ['nothing is counted', { job_id: 'imp_1' }],
  ])('where %s nobody counts as delivered, and the request is halved', (_, body) => {
    expect(bulk.started(answer(200, body), rows)).toMatchObject({
      kind: 'failed',
      outcome: { kind: 'reject', code: 'rows_skipped' },
    });
  });

  test('a refusal that names rows', () => {
    const body = {
      error: { code: 'validation_error', message: 'no', details: [{ path: ['contacts', 2, 'email'], message: 'bad' }] },
    };
    const started = bulk.started(answer(422, body), rows);
    expect(started.kind === 'refused' && [...started.rows]).toEqual([
      [2, { kind: 'reject', code: 'invalid_email', message: 'bad', field: 'email' }],
    ]);
  });

  test.each([
    ['over the plan', 403, { code: 'plan_limit_reached', message: 'no room' }, 'config', 'plan_limit'],
    [
      'over the plan, in words',
      422,
      { message: "Import would exceed your plan's contact limit" },
      'config',
      'plan_limit',
    ],
    ['an audience that is none', 404, { message: 'Audience not found' }, 'config', 'unknown_list'],
    ['an audience refused', 422, { message: 'Unknown audience' }, 'config', 'unknown_list'],
    ['no such path', 404, { error: { message: 'Not found' } }, 'config', 'wrong_path'],
    ['a page of something else', 404, '<html>', 'config', 'wrong_path'],
    ['too many', 422, { message: 'at most 1000 contacts' }, 'reject', 'http_422'],
    ['too large', 413, '', 'reject', 'http_413'],
    ['a key that is none', 401, {}, 'config', 'unauthorized'],
    ['too fast', 429, {}, 'throttle', 'http_429'],
    ['an outage', 502, '', 'retry', 'http_502'],
    ['an empty success', 200, '', 'unknown', 'malformed_answer'],
  ])('%s (%i)', (_, status, body, kind, code) => {
    expect(bulk.started(answer(status, body), rows)).toMatchObject({ kind: 'failed', outcome: { kind, code } });
  });
});
