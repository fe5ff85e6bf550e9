import type { Config } from '../../config/types.ts';
import type { AttributePlan } from '../../core/destination.ts';
import { RollcallError } from '../../core/errors.ts';
import type { Send } from '../../engine/ports.ts';
import { registry } from '../../destinations/registry.ts';
import { type ResolvedConfig, resolveConfig } from '../../homes/resolve-options.ts';
import { openDatabase } from '../../sql/open-database.ts';
import { sandboxProblem } from '../development.ts';
import type { Sql } from '../../sql/port.ts';
import { databaseError } from '../database-error.ts';
import { connection } from './check-connection.ts';
import { cron } from './check-cron.ts';
import { edgeHome } from './check-edge-home.ts';
import { extensions } from './check-extensions.ts';
import { grants } from './check-grants.ts';
import { net } from './check-net.ts';
import { otherTriggers } from './check-other-triggers.ts';
import { recipes } from './check-recipes.ts';
import { role } from './check-role.ts';
import { slots } from './check-slots.ts';
import { type Fit, sources } from './check-sources.ts';
import { sqlHome } from './check-sql-home.ts';
import { state } from './check-state.ts';
import { triggers } from './check-triggers.ts';
import { vault } from './check-vault.ts';
import { webhooks } from './check-webhooks.ts';
import { judgeDestination, readDestination } from './destinations.ts';
import { type Check, error, type Finding, type Place, warn } from './finding.ts';

/** A finding with the group it belongs to. */
export interface Placed extends Finding {
  readonly area: string;
}

export interface Examined {
  readonly config: Config;
  readonly send: Send;
  readonly pause: (ms: number) => Promise<void>;
  /** Told what is looked at next. */
  readonly onStep: (area: string) => void;
}

/** A database that is asked for a diagnosis must not keep anybody waiting. In ms. */
const PATIENCE = { connectMs: 5_000, queryMs: 20_000 };

/**
 * Looks at everything that a delivery depends on. What can't be looked at is a finding with its reason.
 * @throws RollcallError only what is wrong with the command itself
 */
export async function examine(at: Examined): Promise<readonly Placed[]> {
  const found: Placed[] = [];
  const add = (area: string, findings: readonly Finding[]): void =>
    void found.push(...findings.map((finding) => ({ area, ...finding })));
  const sql = await open(at.config);
  if (sql instanceof RollcallError) {
    const { code, message, hint } = sql;
    add('database', [error(code, `${message} Nothing in the database was looked at.`, hint ?? 'Set database_url.')]);
    await lookAtDestinations({ ...at, resolved: undefined, attributes: undefined }, add);
    return found;
  }
  try {
    const place: Place = { sql, config: at.config, pause: at.pause };
    const look = async <Facts>(check: Check<Facts>): Promise<Facts | undefined> => {
      at.onStep(check.area);
      const { facts, findings } = await lookAt(check, place);
      add(check.area, findings);
      return facts;
    };
    await look(connection);
    await look(role);
    await look(extensions);
    await look(state);
    await look(triggers);
    await look(grants);
    const fit = await look(sources);
    await look(otherTriggers);
    await look(webhooks);
    await look(recipes);
    await look(net);
    await look(cron);
    await look(sqlHome);
    await look(edgeHome);
    await look(vault);
    await look(slots);
    const resolved = await withSecrets(at.config, sql);
    await lookAtDestinations({ ...at, resolved, attributes: attributesOf(fit) }, add);
    return found;
  } finally {
    await sql.close();
  }
}

/** Facts are read once; a check that can't read them says so, and keeps nobody from the others. */
async function lookAt<Facts>(
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

async function open(config: Config): Promise<Sql | RollcallError> {
  try {
    return await openDatabase(config, undefined, PATIENCE);
  } catch (cause) {
    const known = databaseError(cause);
    if (known === undefined) throw cause;
    return known;
  }
}

/** Undefined where Vault can't be asked; the check of it has told. */
async function withSecrets(config: Config, sql: Sql): Promise<ResolvedConfig | undefined> {
  try {
    return await resolveConfig(config, sql, registry);
  } catch (cause) {
    if (databaseError(cause) === undefined) throw cause;
    return undefined;
  }
}

function attributesOf(fit: Fit | undefined): AttributePlan | undefined {
  return fit !== undefined && 'found' in fit ? fit.found.attributes : undefined;
}

async function lookAtDestinations(
  at: Examined & { readonly resolved: ResolvedConfig | undefined; readonly attributes: AttributePlan | undefined },
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
