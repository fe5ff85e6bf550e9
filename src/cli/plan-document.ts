import { maskAddress } from '../core/mask.ts';
import { type JsonObject, renderJson } from '../core/json.ts';
import type { ApplyView } from './apply-show.ts';
import type { PlannedDestination, PlannedPeople, PlannedSample } from './plan-tally.ts';
import { maskedValue } from './plan-view.ts';

/** A plan as data, for `--json`. Numbers of an estimate are whole, and only about right. */
export function planDocument(
  view: ApplyView,
  { look, estimate, destinations }: PlannedPeople,
  reveal: boolean,
): object {
  const { config, where, database, skipped } = view;
  const { installed, migrations, functions, triggers, dropped } = database;
  return {
    database: where,
    environment: config.environment,
    first_install: installed === undefined,
    schema: {
      migrations,
      functions,
      triggers: triggers.made.map(({ tables, names }) => ({ tables, names })),
      triggers_removed: triggers.removed,
      destinations_dropped: dropped,
    },
    estimate,
    contacts: Math.round(look.contacts),
    looked_at: look.looked,
    erased: look.erased,
    destinations: config.destinations.map(({ name, type }) => {
      const plan = view.destinations.find((each) => each.name === name);
      const planned = destinations.get(name);
      return {
        name,
        type,
        asked: !skipped.includes(name),
        problem: plan?.problem?.code ?? null,
        create_fields: (plan?.fields?.changes.create ?? []).map((field) => ({
          name: field.name,
          type: field.remoteType,
        })),
        create_lists: plan?.lists?.create ?? [],
        ...(planned === undefined ? {} : peopleDocument(planned, reveal)),
      };
    }),
  };
}

function peopleDocument(planned: PlannedDestination, reveal: boolean): object {
  const { people, fields, again, reasons, refused, calls, seconds, samples } = planned;
  const whole = (counts: Readonly<Record<string, number>>): Readonly<Record<string, number>> =>
    Object.fromEntries(Object.entries(counts).map(([name, n]) => [name, Math.round(n)]));
  return {
    people: whole(people),
    updated_fields: whole(fields),
    sent_again: Math.round(again),
    reasons: Object.fromEntries(
      Object.entries(reasons).flatMap(([state, each]) =>
        Object.keys(each).length === 0 ? [] : [[state, whole(each)]],
      ),
    ),
    would_be_refused: whole(refused),
    calls: calls.map(({ method, path, traffic, count }) => ({ method, path, for: traffic, count: Math.round(count) })),
    seconds_at_least: Math.round(seconds * 10) / 10,
    samples: samples.map((sample) => sampleDocument(sample, reveal)),
  };
}

function sampleDocument({ state, address, before, after, fields }: PlannedSample, reveal: boolean): object {
  const side = (of: PlannedSample['before']): object | null =>
    of === undefined ? null : { address: said(of.address, reveal), attributes: attributesOf(of.attributes, reveal) };
  return {
    what: state,
    address: said(address, reveal),
    changes: fields ?? null,
    before: side(before),
    after: side(after),
  };
}

const said = (address: string | null, reveal: boolean): string | null =>
  address === null || reveal ? address : maskAddress(address);

const attributesOf = (attributes: JsonObject, reveal: boolean): unknown =>
  JSON.parse(renderJson(reveal ? attributes : maskedValue(attributes)));
