import type { LookupAddress } from 'node:dns';
import { describe, expect, test } from 'vitest';
import { addressKind, type AddressKind } from './addresses.ts';
import { addressProblem, GuardError, guardedLookup, isLoopbackHost, urlProblem } from './guard.ts';

const problem = (url: string, allowPrivate = false): string | undefined => urlProblem(new URL(url), { allowPrivate });

const resolve = (
  hostname: string,
  answers: string[],
  all: boolean,
  allowPrivate = false,
): Promise<string | LookupAddress[]> => {
  const lookup = guardedLookup({ allowPrivate }, (_name, _how, done) =>
    done(
      null,
      answers.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    ),
  );
  return new Promise((done, fail) => {
    lookup(hostname, { all }, (error, address) => (error === null ? done(address) : fail(error)));
  });
};

describe('addressKind', () => {
  test.each<[AddressKind, string[]]>([
    ['public', ['8.8.8.8', '1.1.1.1', '172.15.0.1', '172.32.0.1', '192.169.0.1', '2606:4700::1111', '2a00:1450::1']],
    ['public', ['::ffff:8.8.8.8', '64:ff9b::8.8.8.8', '2002:808:808::1']],
    ['loopback', ['127.0.0.1', '127.255.0.9', '::1', '::ffff:127.0.0.1', '::ffff:7f00:1', '64:ff9b::127.0.0.1']],
    ['loopback', ['0:0:0:0:0:0:0:1', '2002:7f00:1::', '::127.0.0.1']],
    ['private', ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', '100.64.0.1', 'fd12:3456::1', 'fc00::1']],
    ['private', ['::ffff:10.0.0.1', '::ffff:c0a8:101', '64:ff9b::a00:1', '2002:c0a8:101::1']],
    [
      'forbidden',
      ['169.254.169.254', '::ffff:169.254.169.254', '::ffff:a9fe:a9fe', 'fd00:ec2::254', '100.100.100.200'],
    ],
    ['forbidden', ['0.0.0.0', '0.1.2.3', '::', 'fe80::1', 'fe80::1%eth0', 'fec0::1', 'ff02::1', '224.0.0.1']],
    ['forbidden', ['240.0.0.1', '255.255.255.255', '192.0.2.1', '198.18.0.1', '203.0.113.9', '198.51.100.1']],
    ['forbidden', ['2001:db8::1', '2001::1', '3fff::1', '100::1', '64:ff9b:1::1', 'example.com', '', '1.2.3']],
  ])('%s: %j', (kind, addresses) => {
    for (const address of addresses) expect(addressKind(address), address).toBe(kind);
  });
});

describe('urlProblem', () => {
  test.each([
    'https://mailtrap.io/api',
    'http://127.0.0.1:8080',
    'http://localhost:8080',
    'http://[::1]:8080',
    'http://sandbox.localhost',
    'http://2130706433',
    'http://0x7f.1',
    'https://[::ffff:127.0.0.1]',
  ])('allows %s', (url) => {
    expect(problem(url)).toBeUndefined();
  });

  test.each([
    'http://mailtrap.io',
    'ftp://mailtrap.io',
    'https://user:pass@mailtrap.io',
    'https://10.0.0.1',
    'https://192.168.0.1:8443',
    'https://169.254.169.254/latest/meta-data',
    'https://[fd00:ec2::254]',
    'https://[::ffff:10.0.0.1]',
    'https://0xa9fea9fe',
    'https://0',
    'https://[::]',
    'http://localhost.evil.example',
    'http://127.0.0.1.evil.example',
  ])('blocks %s', (url) => {
    expect(problem(url)).toEqual(expect.any(String));
  });

  test('private networks and plain http on request, metadata never', () => {
    expect(problem('http://10.0.0.1', true)).toBeUndefined();
    expect(problem('http://mail.internal', true)).toBeUndefined();
    expect(problem('http://169.254.169.254', true)).toEqual(expect.any(String));
  });

  test('names the host, never credentials or the path', () => {
    const text = problem('https://user:pass@10.0.0.1/api/contacts/a%40x.y') ?? '';
    expect(text).not.toMatch(/user|pass|contacts|x\.y/);
  });
});

describe('resolved addresses', () => {
  test('a public name that answers with an inner address is blocked', async () => {
    await expect(resolve('api.example', ['127.0.0.1'], true)).rejects.toBeInstanceOf(GuardError);
    await expect(resolve('api.example', ['10.1.2.3', 'fe80::1'], false)).rejects.toThrow('api.example');
    await expect(resolve('api.example', [], true)).rejects.toBeInstanceOf(GuardError);
    await expect(resolve('api.example', ['169.254.169.254'], true, true)).rejects.toBeInstanceOf(GuardError);
  });

  test('of mixed answers only allowed ones are connected to', async () => {
    expect(await resolve('api.example', ['10.0.0.1', '8.8.8.8'], true)).toEqual([{ address: '8.8.8.8', family: 4 }]);
    expect(await resolve('api.example', ['10.0.0.1', '2606:4700::1'], false)).toBe('2606:4700::1');
  });

  test('this machine’s name must lead to this machine', async () => {
    expect(await resolve('localhost', ['::1', '127.0.0.1'], false)).toBe('::1');
    await expect(resolve('localhost', ['8.8.8.8'], true)).rejects.toBeInstanceOf(GuardError);
    expect(isLoopbackHost('LOCALHOST.')).toBe(true);
    expect(addressProblem('mail.internal', '127.0.0.1', {})).toEqual(expect.any(String));
    expect(addressProblem('mail.internal', '127.0.0.1', { allowPrivate: true })).toBeUndefined();
  });

  test('a failed lookup stays what it is', async () => {
    const lookup = guardedLookup({}, (_name, _how, done) =>
      done(Object.assign(new Error('no'), { code: 'ENOTFOUND' }), []),
    );
    const error = await new Promise((done) => lookup('x.example', { all: true }, (failure) => done(failure)));
    expect(error).toHaveProperty('code', 'ENOTFOUND');
  });
});
