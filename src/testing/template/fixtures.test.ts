import { testGoldenCases } from '../../../test/support/golden.ts';
import destination from './index.ts';

testGoldenCases(destination, new URL('fixtures/', import.meta.url), { api_key: 'key' });
