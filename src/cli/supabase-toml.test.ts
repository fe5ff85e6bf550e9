import { expect, test } from 'vitest';
import { withFunction } from './supabase-toml.ts';

const WANTED = '[functions.rollcall]\nverify_jwt = false\n';

test.each([
  ['no file yet', '', WANTED],
  [
    'others stay',
    'project_id = "x" # mine\n[functions.other]\nverify_jwt = true\n',
    `project_id = "x" # mine\n[functions.other]\nverify_jwt = true\n\n${WANTED}`,
  ],
  ['it is there', `a = 1\n${WANTED}[db]\nport = 1\n`, `a = 1\n${WANTED}[db]\nport = 1\n`],
  [
    'it says otherwise',
    '[functions.rollcall]\nenabled = true\nverify_jwt = true\n[db]\n',
    '[functions.rollcall]\nenabled = true\nverify_jwt = false\n[db]\n',
  ],
  [
    'it says nothing',
    '[functions.rollcall]\nenabled = true\n[other]\nverify_jwt = true\n',
    '[functions.rollcall]\nverify_jwt = false\nenabled = true\n[other]\nverify_jwt = true\n',
  ],
])('%s', (_name, text, wanted) => {
  expect(withFunction(text, 'rollcall')).toBe(wanted);
  expect(withFunction(wanted, 'rollcall')).toBe(wanted);
});
