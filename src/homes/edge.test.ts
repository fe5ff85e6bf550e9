import { expect, test } from 'vitest';
import { brevo } from '../destinations/brevo/index.ts';
import { mailtrap } from '../destinations/mailtrap/index.ts';
import { sendry } from '../destinations/sendry/index.ts';
import { tajo } from '../destinations/tajo/index.ts';
import { webhook } from '../destinations/webhook/index.ts';
import { serveRollcall } from './edge.ts';

const CONFIG = `environment: test
destinations:
  mailtrap: { api_token: "\${MAILTRAP_TOKEN}" }
consent: nobody
`;
const env = { MAILTRAP_TOKEN: '0123456789abcdef', SUPABASE_DB_URL: 'postgresql://postgres@127.0.0.1:9/none' };
const destinations = [brevo, mailtrap, sendry, tajo, webhook];

test('whoever is not known learns nothing, without a look at the database', async () => {
  const home = serveRollcall({ config: CONFIG, destinations, env });
  const ask = async (method: string, path: string): Promise<readonly [number, unknown]> => {
    const answer = await home.fetch(new Request(`https://ref.supabase.co/rollcall${path}`, { method }));
    return [answer.status, await answer.json()];
  };
  expect(await ask('GET', '/health')).toEqual([200, { ok: true }]);
  for (const path of ['', '/', '/tick', '/hooks/database', '/create-contact', '/update-contact']) {
    expect(await ask('POST', path), path).toEqual([401, { error: 'unauthorized' }]);
  }
  // Without a secret nobody is answered there.
  expect(await ask('POST', '/hooks/auth')).toEqual([404, { error: 'not found' }]);
  for (const [method, path] of [
    ['GET', '/'],
    ['GET', '/tick'],
    ['POST', '/metrics'],
    ['GET', '/healthz'],
  ] as const) {
    expect(await ask(method, path), path).toEqual([404, { error: 'not found' }]);
  }
});

test('a config that is wrong, or that names another destination, is refused at once', () => {
  expect(() => serveRollcall({ config: CONFIG, destinations: [brevo], env })).toThrow(/rollcall\.yaml/);
});
