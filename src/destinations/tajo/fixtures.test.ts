import { describe } from 'vitest';
import { testGoldenCases } from '../../../test/support/golden.ts';
import { tajo } from './index.ts';

// Those of Brevo are run for Tajo too (../brevo/fixtures.test.ts).
describe('golden cases of the connector page', () => {
  testGoldenCases(tajo, new URL('fixtures/', import.meta.url), { api_key: 'key' });
});
