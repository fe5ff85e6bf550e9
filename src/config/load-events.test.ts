import { describe, expect, test } from 'vitest';
import { connector, destination, FULL, FULL_ENV, parse, table, warnings } from '../../test/support/config-text.ts';

describe('events', () => {
  test('events of Auth and Storage: those named, then the rest of the files’', () => {
    const plain = { properties: undefined, when: undefined };
    const config = parse(FULL, FULL_ENV);
    expect(config.systemEvents).toEqual([
      {
        ...plain,
        type: 'user.signed_up',
        name: 'auth.user.created',
        path: 'connectors.supabase.events.auth.user.created',
        line: 28,
        column: 7,
      },
      {
        type: 'user.signed_in',
        name: 'logged_in',
        properties: [
          expect.objectContaining({ name: 'by', source: { kind: 'column', path: ['app_metadata', 'provider'] } }),
          expect.objectContaining({ name: 'home', source: { kind: 'const', value: 'web' } }),
        ],
        when: { expression: 'not is_anonymous', line: 32, column: 15 },
        path: 'connectors.supabase.events.user.signed_in',
        line: 29,
        column: 7,
      },
      expect.objectContaining({ ...plain, type: 'storage.object.created', name: 'file_uploaded', line: 34 }),
      expect.objectContaining({ ...plain, type: 'storage.object.updated', name: 'storage.object.updated', line: 6 }),
      expect.objectContaining({ ...plain, type: 'storage.object.deleted', line: 6, column: 66 }),
    ]);
  });

  const system = (text: string): (readonly [string, string])[] =>
    parse(connector(`events: ${text}`), { ON: 'true', OFF: 'false', NAME: 'seen' }).systemEvents.map((event) => [
      event.type,
      event.name,
    ]);

  test.each([
    ['[user.updated, auth.user.created]', 'user.updated=user.updated user.signed_up=auth.user.created'],
    ['{user.updated: true, user.deleted: false}', 'user.updated=user.updated'],
    [
      '{user.updated: {}, auth.user.created: {when: role = 5}}',
      'user.updated=user.updated user.signed_up=auth.user.created',
    ],
    [
      '{user.updated: "${ON}", user.deleted: "${OFF}", user.signed_in: "${NAME}"}',
      'user.updated=user.updated user.signed_in=seen',
    ],
    ['', ''],
  ])('%s', (text, are) =>
    expect(
      system(text)
        .map((pair) => pair.join('='))
        .join(' '),
    ).toBe(are),
  );

  test('of files are all there with sync.storage, but for those switched off', () => {
    const text = connector('sync: {storage: true}', 'events: {storage.object.updated: false}');
    expect(parse(text).systemEvents.map(({ type }) => type)).toEqual([
      'storage.object.created',
      'storage.object.deleted',
    ]);
  });

  test('no properties are not the same as those an event has by itself', () => {
    const text = connector('events: {user.updated: {properties: {}}, user.deleted: {properties: }}');
    expect(parse(text).systemEvents.map(({ properties }) => properties)).toEqual([[], undefined]);
  });

  test('properties of users and of files', () => {
    const text = connector(
      'events:',
      '  user.signed_in: {properties: {raw_user_meta_data.a: A, last_sign_in_at: {to: at, type: date}}}',
      '  storage.object.created:',
      '    properties: {bucket_id: bucket, metadata.size: {to: size, type: integer}, user_metadata: [m, n]}',
    );
    const paths = parse(text).systemEvents.map(({ properties }) =>
      (properties ?? []).map(({ name, source }) => [name, source.kind === 'column' && source.path.join('.')].join('=')),
    );
    expect(paths).toEqual([
      ['A=user_metadata.a', 'at=last_sign_in_at'],
      ['bucket=bucket_id', 'size=metadata.size', 'm=user_metadata', 'n=user_metadata'],
    ]);
  });

  test('a property may be called email, in several cases', () => {
    const text = table(
      'a',
      'sync_as: events',
      'event_name: x',
      'properties: {b: {to: email, transform: lower}, c: EMAIL}',
    );
    expect(parse(text).eventTables[0]?.properties.map(({ name }) => name)).toEqual(['email', 'EMAIL']);
  });

  test('a destination that takes none is warned of', () => {
    const to = destination('token: "12345678"');
    const warned = ['3:3 RC_WARN_NO_EVENTS'];
    expect(warnings(parse(`${to}${connector('events: [user.updated]')}`))).toEqual(warned);
    expect(warnings(parse(`${to}${table('a', 'sync_as: events', 'event_name: x')}`))).toEqual(warned);
    expect(warnings(parse(`${to}${table('a', 'b: B')}`))).toEqual([]);
  });
});
