import { onTestFinished, expect, test } from 'vitest';
import type { Destination } from '../../src/core/destination.ts';
import { mailtrap } from '../../src/destinations/mailtrap/index.ts';
import { createLists, type ListAccess, missingLists } from '../../src/engine/list-ids.ts';
import { createUndiciSend } from '../../src/transport/undici.ts';
import { type Sandbox, startSandbox } from '../support/mailtrap-sandbox.ts';

async function access(
  lists: readonly (string | number)[],
  options: Parameters<typeof startSandbox>[0] = {},
): Promise<{ access: ListAccess; sandbox: Sandbox }> {
  const sandbox = await startSandbox({ limitsScale: Infinity, ...options });
  const transport = createUndiciSend();
  onTestFinished(async () => {
    await transport.close();
    await sandbox.close();
  });
  const config = mailtrap.config.parse({ api_token: sandbox.token, base_url: sandbox.apiUrl, lists });
  const destination = mailtrap as unknown as Destination<unknown>;
  return { access: { destination, config, send: transport.send }, sandbox };
}

test('lists that are not there are found, made once, and found again', async () => {
  const { access: to, sandbox } = await access(['News', 'Pro 🎈', 'News', 7]);
  sandbox.state.addList('Other');
  expect(await missingLists(to, true)).toEqual(['News', 'Pro 🎈']);
  await createLists(to, ['News', 'Pro 🎈']);
  expect(sandbox.state.lists().map(({ name }) => name)).toEqual(['Other', 'News', 'Pro 🎈']);
  expect(await missingLists(to, true)).toEqual([]);
  expect(await missingLists(to, false)).toEqual([]);
});

test('where none may be made, one that is missing is an error that says how', async () => {
  const { access: to } = await access(['News']);
  await expect(missingLists(to, false)).rejects.toMatchObject({
    code: 'RC_LIST_UNKNOWN',
    hint: expect.stringContaining('create_missing'),
  });
});

test('two of one name cannot be told apart, whether lists may be made or not', async () => {
  const { access: to, sandbox } = await access(['News']);
  sandbox.state.addList('News');
  sandbox.state.addList('News');
  await expect(missingLists(to, true)).rejects.toMatchObject({ code: 'RC_LIST_UNKNOWN' });
});

test('a list whose answer was lost is not made twice', async () => {
  const { access: to, sandbox } = await access(['News'], {
    faults: [{ match: { method: 'POST' }, drop: 'after', count: 1 }],
  });
  await createLists(to, ['News']);
  expect(sandbox.state.lists()).toHaveLength(1);
});

test('a refusal is told in the words of the destination', async () => {
  const { access: to } = await access(['News'], { faults: [{ match: { method: 'POST' }, status: 422 }] });
  await expect(createLists(to, ['News'])).rejects.toMatchObject({
    code: 'RC_LIST_REFUSED',
    message: expect.stringContaining('is invalid'),
  });
});
