import { describe, expect, test } from 'vitest';
import { attribute } from '../../support/config.ts';
import { aggregate, contacts, events, inspect, project, refusal, withAttributes } from './inspect-support.ts';

describe('columns', () => {
  test('what the config names must exist, and paths lie inside json only', async () => {
    const db = await project(`create table public.people (id int primary key, email text, address jsonb, doc json,
      tags text[], "fullName" text)`);
    const people = (...attributes: ReturnType<typeof attribute>[]) => ({
      tables: [contacts('people', { email: 'email', attributes })],
    });
    const template = (text: string) =>
      attribute('T', 'email', {
        path: 'table_mapping.people.email',
        transforms: [{ name: 'template', template: text }],
      });
    await inspect(
      db,
      people(
        attribute('CITY', 'address.city'),
        attribute('DEEP', 'doc.a.b'),
        attribute('TAGS', 'tags'),
        template('{value} {fullName} {address.city}'),
      ),
    );
    const wrong: [ReturnType<typeof attribute>, string, RegExp, RegExp][] = [
      [attribute('A', 'fullname'), 'RC_CONFIG_COLUMN_UNKNOWN', /"fullname"/, /Did you mean "fullName"/],
      [attribute('A', 'adress.city'), 'RC_CONFIG_COLUMN_UNKNOWN', /"adress"/, /Did you mean "address"/],
      [
        attribute('A', 'qqq'),
        'RC_CONFIG_COLUMN_UNKNOWN',
        /"qqq"/,
        /There are: id, email, address, doc, tags, fullName\./,
      ],
      [attribute('A', 'email.x'), 'RC_CONFIG_COLUMN_PATH', /"email" of public\.people is not json/, /Map "email"/],
      [attribute('A', 'tags.0'), 'RC_CONFIG_COLUMN_PATH', /"tags"/, /expression/],
      [template('{nmae}'), 'RC_CONFIG_COLUMN_UNKNOWN', /"nmae"/, /There are/],
      [template('{tags.x}'), 'RC_CONFIG_COLUMN_PATH', /"tags"/, /expression/],
    ];
    for (const [one, code, message, hint] of wrong) {
      for (const config of [people(one), { eventTables: [events('people', { properties: [one] })] }]) {
        const found = await refusal(db, config);
        expect(found).toMatchObject({ code, path: one.path, line: 1 });
        expect(found.message).toMatch(message);
        expect(found.hint).toMatch(hint);
      }
    }
    const total = aggregate(
      'N',
      'count(*)',
      'people',
      {},
      { transforms: [{ name: 'template', template: '{email} {value}' }] },
    );
    expect(await refusal(db, withAttributes(total))).toMatchObject({ code: 'RC_CONFIG_TRANSFORM' });
  });
});
