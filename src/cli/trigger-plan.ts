import type { Config } from '../config/types.ts';
import { captureFunction } from '../sql/compile/capture-names.ts';
import { capturePlans } from '../sql/compile/capture-plan.ts';
import { TRIGGERS } from '../sql/compile/capture-trigger.ts';
import { isOn } from '../sql/generated.ts';
import type { Sources } from '../sql/source.ts';
import { tableText } from './describe.ts';
import type { Installed } from './installed.ts';

/** What `apply` will do to triggers. */
export interface TriggerPlan {
  /** Those that are missing or switched off, with the tables that lack the same ones. */
  readonly made: readonly { readonly tables: readonly string[]; readonly names: readonly string[] }[];
  /** Tables of which nothing is captured any more. */
  readonly removed: readonly string[];
}

/** Compares the triggers that a config needs with those that are there. */
export function planTriggers(config: Config, sources: Sources, installed: Installed | undefined): TriggerPlan {
  const plans = isOn(config) ? capturePlans(config, sources) : [];
  const there = installed?.triggers ?? [];
  const partitioned = partitionedTables(sources);
  const made = new Map<string, string[]>();
  const without = config.capture === 'wal' ? (installed?.byWal ?? []) : [];
  for (const { table } of plans) {
    if (without.includes(table.name)) continue;
    const own = there.filter((t) => t.table === table.name && t.function === captureFunction(table) && t.enabled);
    const names = TRIGGERS.filter((name) => !own.some((t) => t.name === name)).join(', ');
    const text = `${tableText(table)}${partitioned.has(table.name) ? ' with its partitions' : ''}`;
    if (names !== '') made.set(names, [...(made.get(names) ?? []), text]);
  }
  const functions = plans.map(({ table }) => captureFunction(table));
  const removed = there.filter((t) => !functions.includes(t.function)).map((t) => t.table.replace(/^public\./, ''));
  return {
    made: [...made].map(([names, tables]) => ({ tables, names: names.split(', ') })),
    removed: [...new Set(removed)],
  };
}

function partitionedTables({ contacts, aggregates, events }: Sources): ReadonlySet<string> {
  const rows = [...contacts, ...aggregates];
  const tables = [...rows, ...rows.flatMap((source) => source.bases), ...events].map((source) => source.table);
  return new Set(tables.filter(({ kind }) => kind === 'partitioned').map(({ name }) => name));
}
