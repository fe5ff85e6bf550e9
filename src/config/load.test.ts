import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RollcallError } from '../core/errors.ts';
import { ConfigErrors } from './config-errors.ts';
import { readConfig } from './load.ts';
import { destination, FULL, FULL_ENV, mistakes, parse, registry } from '../../test/support/config-text.ts';

const failureOf = async (path: string): Promise<unknown> =>
  readConfig(path, {}, registry).then(
    () => undefined,
    (error: unknown) => error,
  );

const optionsWith = (text: string): unknown => parse(destination('token: "12345678"', text)).destinations[0]?.options;

describe('the whole grammar', () => {
  const config = parse(FULL, FULL_ENV);

  test('everything has its place', () => {
    expect(config).toMatchObject({
      file: 'rollcall.yaml',
      databaseUrl: FULL_ENV.DB,
      sslRootCert: './prod-ca.crt',
      environment: 'staging',
      delivery: {
        graceMs: 90_000,
        events: 'at_most_once',
        retry: { firstMs: 2_000, factor: 1.5, longestMs: 600_000, windowMs: 604_800_000, retryAfterMostMs: 7_200_000 },
      },
      sweep: { everyMs: 1_800_000 },
      brakes: { deletes: { share: 0.023, least: 50 }, changes: 'off' },
      log: { level: 'warn', queries: false, realtime: false },
      consent: { kind: 'column', path: ['user_metadata', 'marketing_opt_in'] },
      userMapping: {
        address: ['email'],
        where: { expression: "coalesce(app_metadata->>'provider', '') <> 'test'", line: 25, column: 14 },
        unconfirmed: true,
      },
    });
    expect(config.destinations).toEqual([
      {
        name: 'postbox',
        type: 'postbox',
        options: {
          token: FULL_ENV.TOKEN,
          base_url: 'https://postbox.example',
          region: 'eu',
          lists: [7, 'news'],
          clear_as: 'empty',
        },
        account: 'https://postbox.example',
        events: 'none',
        onDelete: 'delete',
        createMissing: { fields: true, lists: false },
        line: 70,
        column: 3,
      },
      {
        name: 'second',
        type: 'postbox',
        options: {
          token: FULL_ENV.TOKEN,
          base_url: 'https://postbox.example',
          region: 'us',
          lists: [],
          limit: 12,
          quiet: true,
          clear_as: 'empty',
          webhook: { path: '/hook', secret: 'inline-secret' },
          headers: { 'x-team': 'growth' },
        },
        account: 'https://postbox.example',
        events: 'none',
        onDelete: 'unsubscribe',
        createMissing: { fields: true, lists: false },
        line: 73,
        column: 3,
      },
    ]);
  });

  test('attributes with their targets, transforms and places', () => {
    const brief = config.userMapping.attributes
      .slice(0, 10)
      .map(({ name, source, transforms, type, onNull, line, column }) => ({
        name,
        from: source.kind === 'column' ? source.path.join('.') : source,
        transforms,
        type,
        onNull,
        place: `${line}:${column}`,
      }));
    const plain = { transforms: [], type: undefined, onNull: 'skip' };
    expect(brief).toEqual([
      { ...plain, name: 'EMAIL_COPY', from: 'email', place: '8:22' },
      { ...plain, name: 'SMS', from: 'phone', transforms: [{ name: 'e164', countryCode: '49' }], place: '9:7' },
      { ...plain, name: 'SIGNUP_DATE', from: 'created_at', place: '10:20' },
      { ...plain, name: 'COHORT', from: 'created_at', transforms: [{ name: 'date' }], type: 'date', place: '10:33' },
      {
        name: 'FIRSTNAME',
        from: 'user_metadata.full_name',
        transforms: [
          { name: 'trim' },
          { name: 'default', value: 'friend' },
          { name: 'template', template: 'Hi {value} of {user_metadata.city}' },
        ],
        type: undefined,
        onNull: 'clear',
        place: '11:7',
      },
      { ...plain, name: 'CITY', from: 'user_metadata.address.city', place: '15:7' },
      {
        ...plain,
        name: 'PROVIDER',
        from: 'app_metadata.provider',
        transforms: [{ name: 'map', values: { google: 'Google', 1: 'one', true: 'yes' }, otherwise: 'other' }],
        place: '16:7',
      },
      { ...plain, name: 'SOURCE', from: { kind: 'const', value: 'supabase' }, place: '20:9' },
      { ...plain, name: 'SCORE', from: { kind: 'const', value: 1.5 }, type: 'float', place: '21:9' },
      {
        name: 'TENURE',
        from: { kind: 'sql', expression: 'extract(day from now() - created_at)::int', everyMs: 21_600_000 },
        transforms: [],
        type: 'integer',
        onNull: 'clear',
        place: '22:9',
      },
    ]);
  });

  test('the result is frozen all the way down', () => {
    const walk = (value: unknown): boolean =>
      typeof value !== 'object' || value === null || (Object.isFrozen(value) && Object.values(value).every(walk));
    expect(walk(config)).toBe(true);
  });

  test.each([
    ['nobody', { kind: 'nobody' }],
    ['{everyone: " customers since 2019 "}', { kind: 'everyone', basis: 'customers since 2019' }],
  ])('consent: %s', (text, consent) => expect(parse(`consent: ${text}`).consent).toEqual(consent));

  test('enabled: false and users: false', () => {
    expect(parse('connectors: {supabase: {enabled: false, sync: {users: false}}}')).toMatchObject({
      enabled: false,
      users: false,
    });
    expect(parse('connectors: {supabase: {enabled: "${ON}"}}', { ON: 'false' }).enabled).toBe(false);
  });

  test('the address may come from another column', () => {
    const mapped = (more: string): string =>
      `connectors: {supabase: {user_mapping: {user_metadata.work.mail: Email, phone: X${more}}}}`;
    const { userMapping } = parse(mapped(', unconfirmed: true'));
    expect(userMapping.address).toEqual(['user_metadata', 'work', 'mail']);
    expect(userMapping.attributes.map((attribute) => attribute.name)).toEqual(['X']);
    // Nobody confirms what users write into their metadata: without that word there would be no contacts at all.
    expect(() => parse(mapped(''))).toThrow(ConfigErrors);
    expect(() => parse('connectors: {supabase: {user_mapping: {phone: email}}}')).toThrow(ConfigErrors);
  });

  test('the database: the file, then DATABASE_URL, then SUPABASE_DB_URL', () => {
    const env = { DATABASE_URL: 'postgres://a', SUPABASE_DB_URL: 'postgres://b' };
    expect(parse('database_url: postgres://c', env).databaseUrl).toBe('postgres://c');
    expect(parse('consent: nobody', env).databaseUrl).toBe('postgres://a');
    expect(parse('consent: nobody', { ...env, DATABASE_URL: '' }).databaseUrl).toBe('postgres://b');
  });

  test('sections that say nothing are as if absent', () => {
    const quiet =
      'connectors:\n  supabase:\n    sync:\n    user_mapping:\ndestinations:\nconsent:\ndelivery:\nsweep:\n';
    expect(parse(quiet).hash).toBe(parse('environment: production').hash);
  });

  test('an option that is null is not an option that is absent', () => {
    expect(optionsWith('clear_as: null')).toMatchObject({ clear_as: null });
    expect(optionsWith('clear_as: ~')).toMatchObject({ clear_as: null });
    expect(optionsWith('clear_as:')).toMatchObject({ clear_as: 'empty' });
    expect(mistakes(destination('token: null'))).toEqual(['4:5 RC_CONFIG_MISSING']);
  });

  test('an alias stands for its value', () => {
    const text = 'destinations:\n  postbox: &one {token: "12345678"}\n  second: {type: postbox, token: *t}\n';
    expect(mistakes(text)).toContain('3:34 RC_CONFIG_YAML');
    const good =
      'consent: nobody\ndestinations:\n  a: {type: &t postbox, token: "12345678"}\n  b: {type: *t, token: "12345678"}\n';
    expect(parse(good).destinations.map((destination) => destination.type)).toEqual(['postbox', 'postbox']);
  });
});

describe('the file', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rollcall-config-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('is read with its name in it', async () => {
    const path = join(folder, 'rollcall.yaml');
    await writeFile(path, '\uFEFFconsent: nobody\r\n');
    expect(await readConfig(path, {}, registry)).toMatchObject({ file: path, consent: { kind: 'nobody' } });
  });

  test('its mistakes name it', async () => {
    const path = join(folder, 'wrong.yaml');
    await writeFile(path, 'consnt: nobody');
    const error = await failureOf(path);
    expect(error).toBeInstanceOf(ConfigErrors);
    expect(error).toMatchObject({ code: 'RC_CONFIG_INVALID', errors: [{ place: { file: path, line: 1, column: 1 } }] });
  });

  test('a missing one says what to run', async () => {
    const error = await failureOf(join(folder, 'none.yaml'));
    expect(error).toBeInstanceOf(RollcallError);
    expect(error).toMatchObject({ code: 'RC_CONFIG_NOT_FOUND', hint: expect.stringContaining('rollcall init') });
  });

  test('a folder, or bytes that are no UTF-8, are named as such', async () => {
    expect(await failureOf(folder)).toMatchObject({ code: 'RC_CONFIG_UNREADABLE' });
    const path = join(folder, 'latin1.yaml');
    await writeFile(path, Buffer.from('environment: f\xfcr', 'latin1'));
    expect(await failureOf(path)).toMatchObject({ code: 'RC_CONFIG_UNREADABLE', hint: 'Save it as UTF-8.' });
  });
});

test('functions that expressions may call are named by schema and name', () => {
  expect(parse('allow_functions: [public.tier_of]\n').allowFunctions).toEqual(['public.tier_of']);
  expect(parse('environment: x\n').allowFunctions).toEqual([]);
  expect(() => parse('allow_functions: [tier_of]\n')).toThrow(ConfigErrors);
  expect(parse('allow_functions: [a.b]\n').hash).not.toBe(parse('allow_functions: [a.c]\n').hash);
});

test('wake is notify unless it is poll', () => {
  expect(parse('environment: x\n').wake).toBe('notify');
  expect(parse('wake: poll\n').wake).toBe('poll');
  expect(() => parse('wake: sometimes\n')).toThrow(ConfigErrors);
});

describe('who may look, and who is told', () => {
  const token = '0123456789abcdef';

  test('the token of the file, else that of the environment; an empty one is none', () => {
    expect(parse('server: {metrics_token: "${T}"}', { T: token }).server.metricsToken).toBe(token);
    expect(parse('consent: nobody', { METRICS_TOKEN: token }).server.metricsToken).toBe(token);
    expect(parse('server:', { METRICS_TOKEN: '' }).server.metricsToken).toBeUndefined();
  });

  test('a variable that is fit for another program alone is not used, and that is said', () => {
    const config = parse('consent: nobody', { METRICS_TOKEN: 'short' });
    expect(config.server.metricsToken).toBeUndefined();
    expect(config.warnings.map(({ code }) => code)).toEqual(['RC_WARN_METRICS_TOKEN']);
    expect(config.warnings[0]?.message).not.toContain('short');
  });

  test('alerts have defaults beside the receiver, and change nothing about what is sent', () => {
    const text = `alerts: {url: "http://127.0.0.1:9/x", secret: whsec_${'A'.repeat(32)}`;
    const config = parse(`${text}}`);
    expect(config.alerts).toEqual({
      url: 'http://127.0.0.1:9/x',
      secret: `whsec_${'A'.repeat(32)}`,
      stuckMs: 600_000,
      failed: 10,
      drift: 100,
    });
    const other = parse(`${text}, stuck_after: 1m, failed: 1, drift: 2}`);
    expect(other.alerts).toMatchObject({ stuckMs: 60_000, failed: 1, drift: 2 });
    expect(other.hash).toBe(config.hash);
  });
});
