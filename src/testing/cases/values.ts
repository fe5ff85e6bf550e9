import { LosslessNumber } from 'lossless-json';
import type { Case } from '../case.ts';
import { must } from '../must.ts';
import { Person } from '../person.ts';
import { asText, everyone, mailed, mustBeAlone, mustHave, only, valueOf } from '../shown.ts';

const ANN = 'ann@example.com';

/** Texts that something on the way could take for its own. */
const TEXTS = [
  'Änne Ünï 🎈 日本語',
  'a "quoted", text; with \\ and \'',
  'two\nlines',
  '=1+1',
  '<b>&amp;</b>',
  '{{name}} ${x} %s',
  ' ',
  'null',
  '\u202Eabc',
];

/** Names that are of another kind to an object, a template, a path or the vendor. */
const NAMES = ['__proto__', 'constructor', 'toString', 'a.b', 'with space', 'ü', '"', '', '{id}', '$set'];

/** What a vendor may call an address, an id, a list or a consent. */
const RESERVED = {
  email: 'evil@example.com',
  EMAIL: 'evil@example.com',
  email_address: 'evil@example.com',
  id: '999',
  ext_id: '999',
  status: 'subscribed',
  subscribed: true,
  unsubscribed: false,
  emailBlacklisted: false,
  smsBlacklisted: false,
  list_ids: [1],
  listIds: [1],
  consent: 'basis',
} as const;

export const values: readonly Case[] = [
  {
    name: 'values: unicode, quotes, line ends and signs of other languages arrive as they are',
    write: '`request` renders the body with `renderJson`; no text is put into a template',
    async run(bench) {
      const ann = new Person(bench);
      for (const text of TEXTS) {
        const { state } = await ann.attempt({ attributes: { NOTE: text } });
        must(state?.kind === 'delivered' || state?.kind === 'reject', 'a text is taken, or refused by itself', state);
        if (state.kind === 'delivered' && text.trim() !== '') mustHave(mustBeAlone(bench, ANN), 'NOTE', text);
      }
    },
  },
  {
    name: 'values: every type arrives',
    write:
      '`encode` writes each type of the plan as the vendor keeps it; objects and lists become JSON text where it has none',
    async run(bench) {
      await new Person(bench).arrive({
        attributes: {
          NOTE: 't',
          SCORE: 41,
          RATIO: 0.25,
          MEMBER: false,
          BIRTHDAY: '2026-02-28',
          EXTRA: { a: ['ü', 1.5] },
        },
      });
      const contact = mustBeAlone(bench, ANN);
      mustHave(contact, 'SCORE', 41);
      mustHave(contact, 'RATIO', 0.25);
      mustHave(contact, 'MEMBER', false);
      must(asText(valueOf(contact, 'BIRTHDAY')).startsWith('2026-02-28'), 'the date is that day', contact.attributes);
      must(asText(valueOf(contact, 'EXTRA')).includes('ü'), 'JSON arrives', contact.attributes);
    },
  },
  {
    name: 'values: numbers past 2^53 and long decimals keep all their digits',
    write:
      'numbers come as `LosslessNumber` where a double would change them: hand them on, and render with `renderJson`',
    async run(bench) {
      for (const [name, digits] of [
        ['SCORE', '9007199254740993'],
        ['RATIO', '0.1234567890123456789'],
      ] as const) {
        const { state } = await new Person(bench).attempt({ attributes: { [name]: new LosslessNumber(digits) } });
        must(state?.kind === 'delivered' || state?.kind === 'reject', 'it is taken, or refused by itself', state);
        if (state.kind === 'delivered')
          must(
            asText(valueOf(only(bench, ANN), name)) === digits,
            `${name} is ${digits}`,
            valueOf(only(bench, ANN), name),
          );
      }
    },
  },
  {
    name: 'values: a time to the microsecond keeps its day, and is never another moment',
    write:
      '`encode` cuts a timestamp (ISO 8601 in UTC) to what the vendor keeps, and never through a `Date` of another zone',
    async run(bench) {
      await new Person(bench).arrive({ attributes: { SEEN: '2026-02-28T23:59:59.999999+00:00' } });
      const seen = asText(valueOf(mustBeAlone(bench, ANN), 'SEEN'));
      const moment = /T/.test(seen) ? Date.parse(seen) : undefined;
      must(seen.startsWith('2026-02-28') || moment === 1_772_323_199_999, 'it is still that moment or that day', seen);
      if (moment !== undefined) must(Math.abs(moment - 1_772_323_199_999) < 1_000, 'it is still that moment', seen);
    },
  },
  {
    name: 'values: an attribute with a hostile name hurts nobody',
    write: 'names are keys of data: read them with `Object.hasOwn`, and never look one up in an object of yours',
    async run(bench) {
      await new Person(bench, 'bob').arrive({ address: 'bob@example.com', attributes: { NOTE: 'Bob' } });
      for (const name of NAMES) {
        // As parsed JSON has it: an own property, also of that name.
        const attributes = JSON.parse(`{${JSON.stringify(name)}: {"polluted": true}, "NOTE": "x"}`) as Record<
          string,
          never
        >;
        const { state } = await bench.perform({ attributes });
        must(
          state?.kind === 'delivered' || state?.kind === 'reject',
          `the name ${JSON.stringify(name)} is taken, or refused by itself`,
          state,
        );
        must(!('polluted' in {}), 'no other object has it');
      }
      mustHave(only(bench, 'bob@example.com'), 'NOTE', 'Bob');
    },
  },
  {
    name: 'values: no attribute can be taken for the address, the id, a list or a consent',
    write:
      'attributes go where the vendor keeps attributes, and never beside the address and the consent of the same body',
    async run(bench) {
      await new Person(bench, 'bob').arrive({ address: 'bob@example.com' });
      const consent = bench.destination.capabilities.consent.tell ? 'opted_out' : 'basis';
      for (const [name, value] of Object.entries(RESERVED)) {
        const { state } = await bench.perform({ attributes: { [name]: value }, consent });
        must(
          state?.kind === 'delivered' || state?.kind === 'reject',
          `the attribute ${name} is taken, or refused by itself`,
          state,
        );
        const there = everyone(bench).map(({ address }) => address);
        must(
          there.every((address) => [ANN, 'bob@example.com'].includes(address)),
          `${name} changes no address`,
          there,
        );
        if (consent === 'opted_out')
          must(
            mailed(bench).every(({ address }) => address !== ANN),
            `${name} subscribes nobody`,
            mailed(bench),
          );
      }
    },
  },
  {
    name: 'values: one too large arrives whole or is refused for that contact alone, with a reason',
    write:
      '`limits` names `bytesPerRequest` where a limit is known, and `interpret` gives a `reject` with the vendor’s words',
    async run(bench) {
      const ann = new Person(bench);
      await ann.arrive({ attributes: { CITY: 'Turku' } });
      const most = bench.destination.limits(bench.config).bytesPerRequest ?? 70_000;
      const { state } = await ann.attempt({ attributes: { NOTE: 'x'.repeat(most + 1) } });
      if (state?.kind === 'delivered') {
        must(asText(valueOf(only(bench, ANN), 'NOTE')).length > most, 'it arrived whole');
      } else {
        must(
          state?.kind === 'reject' && state.code !== '' && state.message !== '',
          'it is refused by itself, with a reason',
          state,
        );
      }
      mustHave(only(bench, ANN), 'CITY', 'Turku');
      await new Person(bench, 'bob').arrive({ address: 'bob@example.com' });
    },
  },
];
