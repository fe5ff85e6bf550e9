import { describe } from 'vitest';
import { testGoldenCases } from '../../../test/support/golden.ts';
import { tajo } from '../tajo/index.ts';
import { brevo } from './index.ts';

const folder = new URL('fixtures/', import.meta.url);

describe.each([brevo, tajo])('golden cases of $id', (destination) => {
  testGoldenCases(destination, folder, { api_key: 'key' });
});
