import type { Config, DestinationConfig } from '../config/types.ts';
import type { AttributePlan, Destination } from '../core/destination.ts';
import { RollcallError } from '../core/errors.ts';
import { registry } from '../destinations/registry.ts';
import { type FieldAccess, type FieldChanges, fieldsProblem, planFields, readFields } from '../engine/fields.ts';
import type { Send } from '../engine/ports.ts';
import { pause } from '../engine/wake.ts';
import { checkReplication } from '../sources/wal/check.ts';
import { type ListAccess, missingLists } from '../engine/list-ids.ts';
import { adjustedPlan } from '../sql/compile/adjustment.ts';
import { attributePlan } from '../sql/compile/attribute-plan.ts';
import { inspectSources } from '../sql/inspect/sources.ts';
import { installScript, MIGRATIONS } from '../sql/install-script.ts';
import type { Sql } from '../sql/port.ts';
import type { Sources } from '../sql/source.ts';
import { type Installed, readInstalled } from './installed.ts';
import type { ResolvedConfig } from '../homes/resolve-options.ts';
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
  /** Undefined where it keeps no fields, or could not be asked. */
  readonly fields: { readonly access: FieldAccess<unknown>; readonly changes: FieldChanges } | undefined;
  /** Lists that are to be made; undefined where it could not be asked. */
  readonly lists: { readonly access: ListAccess; readonly create: readonly string[] } | undefined;
  /** What stands in the way there: nothing is created at it. */
  readonly problem: RollcallError | undefined;
}

/**
 * Reads what is there and makes the install script that fits it, in one transaction that changes nothing.
 * @throws RollcallError what `checkReplication`, `inspectSources` and `attributePlan` throw, or the driver's error
 */
export async function planDatabase(sql: Sql, config: Config): Promise<DatabasePlan> {
  if (config.capture === 'wal') await checkReplication(config);
  return await sql.transaction(async (tx) => {
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
 * Reads what the destinations have: which fields are missing, and whether their lists exist. What stands in the way at one is told
 * with it, and keeps nobody from the others.
 * @param look which of them to ask; the others are left out
 * @param attributes those of the mapping
 * @param onWait told when a destination makes us wait
 */
export async function planDestinations(
  { config, problems }: ResolvedConfig,
  look: (name: string) => boolean,
  attributes: AttributePlan,
  send: Send,
  onWait: (name: string, ms: number, why: string) => void,
): Promise<readonly DestinationPlan[]> {
  const plans: DestinationPlan[] = [];
  for (const entry of config.destinations.filter(({ name }) => look(name))) {
    const { name } = entry;
    const unknown = problems.get(name);
    try {
      if (unknown !== undefined) throw unknown;
      const plan = adjustedPlan(attributes, entry.adjustment, config.file);
      plans.push(await planDestination(entry, plan, send, onWait));
    } catch (error) {
      if (!(error instanceof RollcallError)) throw error;
      plans.push({ name, fields: undefined, lists: undefined, problem: error });
    }
  }
  return plans;
}

/** @throws RollcallError `RC_FIELDS_UNREADABLE`, `RC_LISTS_UNREADABLE`, `RC_LIST_UNKNOWN`, `RC_LIST_SHARED` */
async function planDestination(
  entry: DestinationConfig,
  plan: AttributePlan,
  send: Send,
  onWait: (name: string, ms: number, why: string) => void,
): Promise<DestinationPlan> {
  const { name, createMissing } = entry;
  const destination = registry.find((d) => d.id === entry.type);
  if (destination === undefined) return { name, fields: undefined, lists: undefined, problem: undefined };
  const listAccess = { destination, config: entry.options, send };
  const lists = { access: listAccess, create: await missingLists(listAccess, createMissing.lists) };
  const access = accessTo(destination, entry, send, onWait);
  if (access === undefined) return { name, fields: undefined, lists, problem: undefined };
  const changes = planFields(plan, await readFields(access), access.fields);
  const problem = fieldsProblem(changes, { name, max: access.fields.max }, createMissing.fields);
  return { name, fields: { access, changes }, lists, problem };
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
