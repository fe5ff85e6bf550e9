import { expect, test } from 'vitest';
import { fetchFailure } from './fetch-failure.ts';

const failed = (message: string, code?: string): TypeError =>
  new TypeError('fetch failed', { cause: Object.assign(new Error(message), code === undefined ? {} : { code }) });

// Words of Deno 2.9 and of Node 20, as they were seen.
test.each<[string, TypeError, boolean, string]>([
  [
    'Deno, refused',
    failed(
      'error sending request for url (http://127.0.0.1:9/): client error (Connect): tcp connect error: Connection refused (os error 111)',
    ),
    true,
    'ECONNREFUSED',
  ],
  [
    'Deno, no such name',
    failed(
      'error sending request for url (http://x.invalid/): client error (Connect): dns error: failed to lookup address information: Name or service not known',
    ),
    true,
    'ENOTFOUND',
  ],
  [
    'Deno, a certificate',
    failed(
      'error sending request for url (https://x/): client error (Connect): invalid peer certificate: UnknownIssuer',
    ),
    true,
    'ERR_TLS_HANDSHAKE',
  ],
  [
    'Deno, closed',
    failed(
      'error sending request for url (http://x/): client error (SendRequest): connection closed before message completed',
    ),
    false,
    '',
  ],
  ['Deno, in other words', failed('something new'), false, ''],
  ['Node, refused', failed('connect ECONNREFUSED 127.0.0.1:9', 'ECONNREFUSED'), true, 'ECONNREFUSED'],
  ['Node, closed', failed('other side closed', 'UND_ERR_SOCKET'), false, ''],
  ['Node, reset', failed('read ECONNRESET', 'ECONNRESET'), false, ''],
])('%s', (_name, error, before, code) => {
  expect(fetchFailure(error)).toEqual({ before, code });
});

test('what is no error says nothing', () => {
  expect(fetchFailure('words')).toEqual({ before: false, code: '' });
});
