import { request } from 'node:http';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startSandbox } from '../support/mailtrap-sandbox.ts';
import { closeAll, testBed, type TestBed } from './client.ts';

let bed: TestBed;
beforeEach(async () => {
  bed = await testBed();
});
afterEach(closeAll);

/** Sends what fetch would not: a foreign Host header, a body without its length. */
async function raw(path: string, method: string, headers: Record<string, string>, body: string[]): Promise<number> {
  const { port } = new URL(bed.sandbox.url);
  return await new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, method, headers }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    sent.on('error', reject);
    for (const part of body) sent.write(part);
    sent.end();
  });
}

it('refuses the host names of other machines, on the page, the API and the control API', async () => {
  for (const path of ['/', '/mailtrap/api/contacts/lists', '/_sandbox/state']) {
    expect(await raw(path, 'GET', { host: 'evil.example' }, [])).toBe(403);
  }
  expect(await raw('/', 'GET', { host: 'localhost' }, [])).toBe(200);
  expect(bed.sandbox.state.calls()).toEqual([]);
});

it('refuses bodies that are too large, whether or not they say so first', async () => {
  const part = 'x'.repeat(1024 * 1024);
  const path = '/api/contacts/a%40example.com';
  expect(await raw(`/mailtrap${path}`, 'PATCH', { 'transfer-encoding': 'chunked' }, [part, part, part])).toBe(413);
  const answer = await bed.call('PATCH', path, part + part + part);
  expect([answer.status, answer.json]).toEqual([413, { error: 'Payload Too Large' }]);
  expect(bed.sandbox.state.calls().map(({ status }) => status)).toEqual([413, 413]);
});

it('answers 404 beside its paths', async () => {
  for (const path of ['/api', '/api/contacts/a/b/c', '/api/contacts/lists/x', '/api/contacts/%ff', '/api/contacts/']) {
    expect([path, (await bed.call('GET', path)).status]).toEqual([path, 404]);
  }
  expect((await bed.call('PUT', '/api/contacts/a%40example.com', {})).status).toBe(404);
});

it('listens where it is told and says so when it cannot', async () => {
  const port = Number(new URL(bed.sandbox.url).port);
  await expect(startSandbox({ port })).rejects.toMatchObject({ code: 'RC_SANDBOX_PORT', hint: expect.any(String) });
  await bed.sandbox.close();
  const again = await startSandbox({ port });
  expect(again.url).toBe(`http://127.0.0.1:${port}`);
  await again.close();
  await expect(fetch(again.url)).rejects.toThrow('fetch failed');
});

it('tells listeners of calls and contacts, and those who wait when a condition holds or never does', async () => {
  const seen: string[] = [];
  const stop = bed.sandbox.onContact(({ kind, contact }) => seen.push(`${kind} ${contact.address} ${contact.status}`));
  bed.sandbox.onCall(({ method, status }) => seen.push(`${method} ${status}`));
  const waiting = bed.sandbox.until((state) => state.contact('a@example.com') !== undefined, 5_000);
  await bed.call('PATCH', '/api/contacts/a%40example.com', { contact: { email: 'a@example.com', unsubscribed: true } });
  await waiting;
  bed.sandbox.state.unsuppress('a@example.com');
  await bed.call('DELETE', '/api/contacts/a%40example.com');
  stop();
  await bed.call('PATCH', '/api/contacts/a%40example.com', { contact: { email: 'a@example.com' } });
  expect(seen).toEqual([
    'created a@example.com unsubscribed',
    'PATCH 200',
    'opted_in a@example.com subscribed',
    'deleted a@example.com subscribed',
    'DELETE 204',
    'PATCH 200',
  ]);
  await expect(bed.sandbox.until(() => false, 20)).rejects.toMatchObject({ code: 'RC_SANDBOX_TIMEOUT' });
});

it('serves the page under a strict content policy', async () => {
  const answer = await fetch(bed.sandbox.pageUrl);
  const policy = answer.headers.get('content-security-policy') ?? '';
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toContain('unsafe');
  const page = await answer.text();
  expect(page).not.toContain(bed.sandbox.controlKey);
  expect(page).not.toMatch(/innerHTML|https?:\/\//);
});
