import type { Config } from '../../config/types.ts';
import type { AttributePlan } from '../../core/destination.ts';
import type { RollcallError } from '../../core/errors.ts';
import type { Send } from '../../engine/ports.ts';
import { registry } from '../../destinations/registry.ts';
import { type ResolvedConfig, resolveConfig } from '../../homes/resolve-options.ts';
import { openDatabase } from '../../sql/open-database.ts';
import { sandboxProblem } from '../development.ts';
import type { Sql } from '../../sql/port.ts';
import { databaseError } from '../database-error.ts';
import type { Fit } from './check-sources.ts';
import { judgeDestination, readDestination } from './destinations.ts';
import { type Check, error, type Finding, type Place, warn } from './finding.ts';

/** A database that is asked for a diagnosis must not keep anybody waiting. In ms. */
const PATIENCE = { connectMs: 5_000, queryMs: 20_000 };

/** Facts are read once; a check that can't read them says so, and keeps nobody from the others. */
export async function lookAt<Facts>(
  check: Check<Facts>,
  place: Place,
): Promise<{ readonly facts: Facts | undefined; readonly findings: readonly Finding[] }> {
  try {
    const facts = await check.read(place);
    return { facts, findings: check.judge(facts, place.config) };
  } catch (cause) {
    const known = databaseError(cause);
    if (known === undefined) throw cause;
    return {
      facts: undefined,
      findings: [warn('RC_NOT_LOOKED_AT', `Not looked at: ${known.message}`, known.hint ?? 'Run it again.')],
    };
  }
}

/** The database, or why it can't be asked. */
export async function openToLook(config: Config): Promise<Sql | RollcallError> {
  try {
    return await openDatabase(config, undefined, PATIENCE);
  } catch (cause) {
    const known = databaseError(cause);
    if (known === undefined) throw cause;
    return known;
  }
}

/** Undefined where Vault can't be asked; the check of it has told. */
export async function withSecrets(config: Config, sql: Sql): Promise<ResolvedConfig | undefined> {
  try {
    return await resolveConfig(config, sql, registry);
  } catch (cause) {
    if (databaseError(cause) === undefined) throw cause;
    return undefined;
  }
}

/** The attributes with their types, where the tables were looked at. */
export function attributesOf(fit: Fit | undefined): AttributePlan | undefined {
  return fit !== undefined && 'found' in fit ? fit.found.attributes : undefined;
}

/** What a look at the destinations needs. */
export interface DestinationsLook {
  readonly config: Config;
  readonly send: Send;
  readonly onStep: (area: string) => void;
  /** With the secrets; undefined where nobody could read them. */
  readonly resolved: ResolvedConfig | undefined;
  readonly attributes: AttributePlan | undefined;
}

/** Asks each destination: is it there, does it take the key, has it the fields and lists. */
export async function lookAtDestinations(
  at: DestinationsLook,
  add: (area: string, findings: readonly Finding[]) => void,
): Promise<void> {
  const { resolved, attributes, send } = at;
  const config = resolved?.config ?? at.config;
  const down = await sandboxProblem(config);
  if (down !== undefined) {
    add('destinations', [error(down.code, down.message, down.hint ?? 'rollcall sandbox')]);
    return;
  }
  if (config.destinations.length === 0) add('destinations', [NO_DESTINATIONS]);
  for (const entry of config.destinations) {
    at.onStep(entry.name);
    // Placeholders stand where nobody has read the secrets.
    const unread = entry.vault !== undefined && (resolved === undefined || resolved.problems.has(entry.name));
    const findings = unread
      ? [unasked(entry.name)]
      : judgeDestination(await readDestination(entry, config, attributes, send));
    add('destinations', findings);
  }
}

const NO_DESTINATIONS = warn(
  'RC_NO_DESTINATIONS',
  'The config names no destination: nothing is sent.',
  'Add one under destinations.',
);

function unasked(name: string): Finding {
  return warn(
    'RC_NOT_LOOKED_AT',
    `${name} was not asked: its key stands in Vault, which could not be read.`,
    'Mend what is said of the database and of Vault, and run it again.',
  );
}
