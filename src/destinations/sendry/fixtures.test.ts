import { describe } from 'vitest';
import { testGoldenCases } from '../../../test/support/golden.ts';
import { sendry } from './index.ts';

describe('golden cases', () => {
  testGoldenCases(sendry, new URL('fixtures/', import.meta.url), { api_key: 'sn_test_1' });
});
