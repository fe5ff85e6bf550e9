import type { Config, DestinationConfig } from '../config/types.ts';
import type { AttributePlan, Destination } from '../core/destination.ts';
import type { RollcallError } from '../core/errors.ts';
import { registry } from '../destinations/registry.ts';
import { type FieldAccess, type FieldChanges, fieldsProblem, planFields, readFields } from '../engine/fields.ts';
import type { Send } from '../engine/ports.ts';
import { pause } from '../engine/wake.ts';
import { withListIds } from '../engine/list-ids.ts';
import { adjustedPlan } from '../sql/compile/adjustment.ts';
import { attributePlan } from '../sql/compile/attribute-plan.ts';
import { inspectSources } from '../sql/inspect/sources.ts';
import { installScript, MIGRATIONS } from '../sql/install-script.ts';
import type { Sql } from '../sql/port.ts';
import type { Sources } from '../sql/source.ts';
import { type Installed, readInstalled } from './installed.ts';
import { planTriggers, type TriggerPlan } from './trigger-plan.ts';

/** What `apply` would do to the database. Nothing has been changed yet. */
export interface DatabasePlan {
  readonly installed: Installed | undefined;
  readonly script: string;
  /** What the config reads, as the database has it. */
  readonly sources: Sources;
  /** Type of each attribute, as inferred from the database. */
  readonly attributes: AttributePlan;
  /** Migrations that have not run yet, as `1 state`. */
  readonly migrations: readonly string[];
  readonly functions: number;
  readonly triggers: TriggerPlan;
  /** Destinations in the database that the config no longer names. */
  readonly dropped: readonly string[];
}

/** What `apply` would do at one destination. */
export interface DestinationPlan {
  readonly name: string;
  readonly access: FieldAccess<unknown>;
  readonly changes: FieldChanges;
  /** What stands in the way. */
  readonly problem: RollcallError | undefined;
}

/**
 * Reads what is there and makes the install script that fits it, in one transaction that changes nothing.
 * @throws RollcallError what `inspectSources` and `attributePlan` throw, or the driver's error
 */
export function planDatabase(sql: Sql, config: Config): Promise<DatabasePlan> {
  return sql.transaction(async (tx) => {
    const installed = await readInstalled(tx);
    const sources = await inspectSources(tx, config);
    const script = installScript(config, sources);
    return {
      installed,
      script,
      sources,
      attributes: attributePlan(config, sources),
      migrations: MIGRATIONS.filter((m) => installed?.migrations.includes(m.version) !== true).map(
        (m) => `${m.version} ${m.name}`,
      ),
      functions: new Set(script.match(/(?<=create or replace function rollcall\.)"?[\w-]+/g)).size,
      triggers: planTriggers(config, sources, installed),
      dropped: (installed?.destinations ?? []).filter((name) => !config.destinations.some((d) => d.name === name)),
    };
  });
}

/**
 * Reads every destination that keeps fields: which ones are missing, and whether its lists exist.
 * @param onWait told when a destination makes us wait
 * @throws RollcallError `RC_FIELDS_UNREADABLE`, `RC_LISTS_UNREADABLE`, `RC_LIST_UNKNOWN`
 */
export async function planDestinations(
  config: Config,
  attributes: AttributePlan,
  send: Send,
  onWait: (name: string, ms: number, why: string) => void,
): Promise<readonly DestinationPlan[]> {
  const plans: DestinationPlan[] = [];
  for (const entry of config.destinations) {
    const destination = registry.find((d) => d.id === entry.type);
    if (destination === undefined) continue;
    await withListIds(destination, entry.options, send);
    const access = accessTo(destination, entry, send, onWait);
    if (access === undefined) continue;
    const changes = planFields(
      adjustedPlan(attributes, entry.adjustment, config.file),
      await readFields(access),
      access.fields,
    );
    const at = { name: entry.name, max: access.fields.max };
    plans.push({ name: entry.name, access, changes, problem: fieldsProblem(changes, at, entry.createMissing.fields) });
  }
  return plans;
}

function accessTo(
  destination: Destination<unknown>,
  { name, options }: DestinationConfig,
  send: Send,
  onWait: (name: string, ms: number, why: string) => void,
): FieldAccess<unknown> | undefined {
  const { fields } = destination;
  if (fields === undefined) return undefined;
  return {
    name,
    fields,
    config: options,
    auth: destination.auth(options),
    send,
    pause: (ms) => pause(ms),
    onWait: (ms, why) => onWait(name, ms, why),
  };
}
