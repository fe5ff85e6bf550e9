import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ContactEvent } from '../../src/destinations/mailtrap/sandbox/store.ts';
import type { SandboxContact } from '../../src/destinations/mailtrap/sandbox/views.ts';
import { onCleanup } from '../support/database.ts';
import { type Arena, openArena } from './interleaving/arena.ts';
import { canonical, canonicalText } from './interleaving/canonical.ts';
import { type AuditedEvent, Historian, type History, type State } from './interleaving/history.ts';
import { judgeContacts } from './interleaving/judge-contacts.ts';
import { judgeEvents } from './interleaving/judge-events.ts';
import { scenarios, showScenario } from './interleaving/scenario.ts';
import { CROWD } from './interleaving/statements.ts';

const U = (n: number): string => `00000000-0000-4000-8000-00000000000${n}`;

async function arena(...commands: readonly string[]): Promise<Arena> {
  const made = await openArena();
  onCleanup(() => made.close());
  for (const command of commands) await made.app.query(command);
  return made;
}

async function contacts(...commands: readonly string[]): Promise<readonly string[]> {
  const { app } = await arena(...CROWD, ...commands);
  const history = await new Historian(app).whole();
  return history.contacts.map((c) => `${c.key} ${c.address} ${canonicalText(c.fields)}`);
}

test('the oracle: who is a contact, and what of it', async () => {
  expect(await contacts()).toEqual([
    `${U(0)} a0@example.com BASKET=10.5 CITY="Old Town" FIRSTNAME="Profile of a0@example.com" LTV=7 PAID_ON="2026-03-02" PAYMENTS=1 PLAN="old" TIER="OLD"`,
    `${U(1)} a1@example.com FIRSTNAME="Old 1" LTV=7 PAID_ON="2026-03-02" PAYMENTS=1`,
    `${U(2)} a2@example.com BASKET=10.5 CITY="Old Town" FIRSTNAME="Profile of a2@example.com" LTV=7 PAID_ON="2026-03-02" PAYMENTS=1 PLAN="old" TIER="OLD"`,
    'email:a3@example.com a3@example.com BASKET=10.5 CITY="Old Town" FIRSTNAME="Customer 2" PAYMENTS=0 PLAN="old" TIER="OLD"',
  ]);
});

test('the oracle: a user who is none leaves the address to the rows of a table', async () => {
  const left = await contacts(
    `update auth.users set banned_until = '2099-01-01' where id = '${U(2)}'`,
    `update auth.users set deleted_at = now(), email = 'hash' where id = '${U(1)}'`,
    `update auth.users set raw_user_meta_data = '{"role":"test"}' where id = '${U(0)}'`,
    `update public.customers set archived = true where id = 'c2'`,
    `insert into public.customers (id, email, created_at) values ('c3', ' A2@Example.com ', '2027-01-01')`,
  );
  expect(left).toEqual(['email:a2@example.com a2@example.com BASKET=10.5 PAID_ON="2026-03-02" PAYMENTS=0']);
});

test('the audit holds what was committed, as it was', async () => {
  const { app } = await arena(...CROWD, `set timezone = 'Asia/Kolkata'`);
  await app.query(`begin; update public.tickets set status = 'X', rev = 7; rollback`);
  await app.query(`update public.tickets set status = 'Y', rev = 9007199254740993 where nr = 0 and team = 'T0'`);
  await app.query(`update public.tickets set rev = 8 where nr = 0 and team = 'T0'`);
  const { events } = await new Historian(app).whole();
  const tickets = events.filter((event) => event.name === 'ticket_changed');
  expect(tickets.map((e) => [e.key, e.wanted, canonicalText(e.properties)])).toEqual([
    [U(0), true, 'nr=0 rev=9007199254740993 state="y" team="T0"'],
    [U(0), false, 'nr=0 rev=8 state="y" team="T0"'],
  ]);
});

test('values that are equal are equal as text', () => {
  expect(
    canonicalText('{"a":12.50,"b":null,"c":9007199254740993,"d":"2026-01-01T05:30:00.120000+05:30","e":100}'),
  ).toBe(canonicalText('{"e":100,"d":"2026-01-01T00:00:00.12Z","c":9007199254740993,"a":12.5}'));
  expect(canonical({ a: 1 })).not.toBe(canonical({ a: '1' }));
});

const state = (living: Record<string, string>, users: State['users'] = {}): State => ({
  users,
  living,
  customers: { c1: 'email:a@x.y' },
  owners: Object.fromEntries(
    Object.entries(living).flatMap(([key, address]): [string, number][] => (key in users ? [[address, 1]] : [])),
  ),
});
const event = (id: number, more: Partial<AuditedEvent> = {}): AuditedEvent => ({
  id,
  turn: id,
  name: 'e',
  row: 'tickets 1',
  customer: null,
  key: 'u1',
  wanted: true,
  certain: true,
  properties: `{"rev":${id}}`,
  commit: 0,
  ...more,
});
const arrival = (rev: number, email = 'a@x.y'): ContactEvent => ({
  contactId: '1',
  email,
  name: 'e',
  params: { rev },
  at: 0,
});
const past = (events: readonly AuditedEvent[], ...states: readonly State[]): History => ({
  states,
  events,
  contacts: [],
});

test('events: once, in order, of whoever lives, and nothing else', () => {
  const lives = state({ u1: 'a@x.y' }, { u1: 'ok' });
  const two = past([event(1), event(2)], lives);
  const judge = (history: History, ...arrived: readonly ContactEvent[]): readonly string[] =>
    judgeEvents(history, arrived, false);
  expect(judge(two, arrival(1), arrival(2))).toEqual([]);
  expect(judge(two, arrival(2), arrival(1))).toEqual([expect.stringContaining('out of order')]);
  expect(judge(two, arrival(1))).toEqual([expect.stringContaining('arrived 0 times')]);
  expect(judge(two, arrival(1), arrival(2), arrival(2))).toEqual([expect.stringContaining('arrived 2 times')]);
  expect(judgeEvents(two, [arrival(1), arrival(2), arrival(2)], true)).toEqual([]);
  expect(judge(two, arrival(1), arrival(2), arrival(3))).toEqual([expect.stringContaining('never happened')]);
  expect(judge(two, arrival(1), arrival(2, 'b@x.y'))).toEqual([expect.stringContaining('arrived at b@x.y')]);
  expect(judge(past([event(1, { wanted: false })], lives), arrival(1))).toHaveLength(1);
  expect(judge(past([event(1)], lives, state({}, { u1: 'out' }), lives))).toEqual([]);
  const waits = state({}, { u1: 'waiting' });
  expect(judge(past([event(1)], waits, lives))).toHaveLength(1);
  expect(judge(past([event(1)], lives, waits, lives))).toEqual([]);
  expect(judge(past([event(1, { commit: 1 })], lives, waits, lives))).toEqual([]);
  expect(judge(past([event(1, { commit: 1 }), event(2)], lives, lives), arrival(2), arrival(1))).toEqual([]);
  const left = past([event(1), event(2)], lives, state({}, { u1: 'out' }), lives);
  expect(judge(left, arrival(2), arrival(1))).toHaveLength(1);
  expect(judgeEvents(left, [arrival(2), arrival(1)], false, true)).toEqual([]);
  expect(judgeEvents(two, [arrival(2), arrival(1)], false, true)).toHaveLength(1);
});

test('events of somebody known by an address alone go to the user who takes it over', () => {
  const before = state({ 'email:a@x.y': 'a@x.y' });
  const after = state({ u1: 'a@x.y' }, { u1: 'ok' });
  const placed = event(1, { key: 'email:a@x.y', customer: 'c1' });
  expect(judgeEvents(past([placed], before, after), [], false)).toHaveLength(1);
  expect(judgeEvents(past([placed], before, after), [arrival(1)], false)).toEqual([]);
  expect(judgeEvents(past([placed], before, after, before), [], false)).toEqual([]);
  expect(judgeEvents(past([placed], before, state({})), [], false)).toEqual([]);
});

const contact = (email: string, more: Partial<SandboxContact> = {}): SandboxContact => ({
  id: email,
  status: 'subscribed',
  email,
  fields: { N: 1 },
  list_ids: [],
  created_at: 0,
  updated_at: 0,
  ...more,
});

test('contacts: those there must be, and of those who left what the policy says', () => {
  const history: History = {
    states: [state({ u1: 'old@x.y', u2: 'gone@x.y' }), state({ u1: 'a@x.y' })],
    events: [],
    contacts: [{ key: 'u1', address: 'a@x.y', fields: '{"N":1}' }],
  };
  const [a, gone] = [contact('a@x.y'), contact('gone@x.y')];
  expect(judgeContacts(history, [a], 'delete')).toEqual([]);
  expect(judgeContacts(history, [], 'delete')).toHaveLength(1);
  expect(judgeContacts(history, [contact('a@x.y', { fields: {} })], 'keep')).toHaveLength(1);
  expect(judgeContacts(history, [a, gone], 'delete')).toHaveLength(1);
  expect(judgeContacts(history, [a, gone], 'keep')).toEqual([]);
  expect(judgeContacts(history, [a, gone], 'unsubscribe')).toHaveLength(1);
  expect(judgeContacts(history, [a, contact('gone@x.y', { status: 'unsubscribed' })], 'unsubscribe')).toEqual([]);
  expect(judgeContacts(history, [a, contact('old@x.y')], 'keep')).toHaveLength(1);
});

test('scenarios are the same for the same seed', () => {
  const show = (): string[] => fc.sample(scenarios, { seed: 3, numRuns: 5 }).map(showScenario);
  expect(show()).toEqual(show());
});
