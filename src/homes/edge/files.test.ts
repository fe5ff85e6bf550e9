import { expect, test } from 'vitest';
import { edgeFiles } from './files.ts';

const CONFIG = 'database_url: "${DATABASE_URL}"\nuser_mapping: {raw: "`a\\\\b`", price: "$${cost}"}\n';

test('a few lines, pinned imports, and the config as it is', async () => {
  const files = edgeFiles({ config: CONFIG, types: ['webhook', 'brevo'], version: '1.2.3', sslRootCert: 'PEM' });
  expect(Object.keys(files)).toEqual(['index.ts', 'config.ts', 'deno.json', 'ssl-root-cert.ts']);
  expect(files['index.ts']).toMatch(/serveRollcall\(\{ config, destinations: \[brevo, webhook\], sslRootCert \}\)/);
  expect(JSON.parse(files['deno.json'] ?? '')).toEqual({
    imports: {
      'rollcall/edge': 'npm:rollcall@1.2.3/edge',
      'rollcall/destinations/brevo': 'npm:rollcall@1.2.3/destinations/brevo',
      'rollcall/destinations/webhook': 'npm:rollcall@1.2.3/destinations/webhook',
    },
  });
  // What a module of it exports is the very text.
  const module = (await import(`data:text/javascript,${encodeURIComponent(files['config.ts'] ?? '')}`)) as {
    default: string;
  };
  expect(module.default).toBe(CONFIG);
});
