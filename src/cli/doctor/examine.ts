import type { Config } from '../../config/types.ts';
import { RollcallError } from '../../core/errors.ts';
import type { Send } from '../../engine/ports.ts';
import { connection } from './check-connection.ts';
import { cron } from './check-cron.ts';
import { edgeHome } from './check-edge-home.ts';
import { extensions } from './check-extensions.ts';
import { grants } from './check-grants.ts';
import { net } from './check-net.ts';
import { otherTriggers } from './check-other-triggers.ts';
import { project } from './check-project.ts';
import { recipes } from './check-recipes.ts';
import { role } from './check-role.ts';
import { slots } from './check-slots.ts';
import { sources } from './check-sources.ts';
import { sqlHome } from './check-sql-home.ts';
import { state } from './check-state.ts';
import { triggers } from './check-triggers.ts';
import { vault } from './check-vault.ts';
import { wal } from './check-wal.ts';
import { webhooks } from './check-webhooks.ts';
import { type Check, error, type Finding, type Place } from './finding.ts';
import { attributesOf, lookAt, lookAtDestinations, openToLook, withSecrets } from './look.ts';

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

/**
 * Looks at everything that a delivery depends on. What can't be looked at is a finding with its reason.
 * @throws RollcallError only what is wrong with the command itself
 */
export async function examine(at: Examined): Promise<readonly Placed[]> {
  const found: Placed[] = [];
  const add = (area: string, findings: readonly Finding[]): void =>
    void found.push(...findings.map((finding) => ({ area, ...finding })));
  const sql = await openToLook(at.config);
  if (sql instanceof RollcallError) {
    const { code, message, hint } = sql;
    add('database', [error(code, `${message} Nothing in the database was looked at.`, hint ?? 'Set database_url.')]);
    await lookAtDestinations({ ...at, resolved: undefined, attributes: undefined }, add);
    return found;
  }
  try {
    const place: Place = { sql, config: at.config, send: at.send, pause: at.pause };
    const look: Look = async (check) => {
      at.onStep(check.area);
      const { facts, findings } = await lookAt(check, place);
      add(check.area, findings);
      return facts;
    };
    await look(connection);
    const read = await look(project);
    // A project that has never said what its tables are: there is nothing that anything else could be held against.
    if (read?.known === false) {
      await lookAtDestinations({ ...at, resolved: undefined, attributes: undefined }, add);
      return found;
    }
    await look(role);
    if (read === undefined) await look(extensions);
    await look(state);
    await look(triggers);
    await look(grants);
    const fit = await look(sources);
    if (read === undefined) await lookAround(look);
    const resolved = await withSecrets(at.config, sql);
    await lookAtDestinations({ ...at, resolved, attributes: attributesOf(fit) }, add);
    return found;
  } finally {
    await sql.close();
  }
}

type Look = <Facts>(check: Check<Facts>) => Promise<Facts | undefined>;

/** What else is at work in the database of a project. */
async function lookAround(look: Look): Promise<void> {
  await look(otherTriggers);
  await look(webhooks);
  await look(recipes);
  await look(net);
  await look(cron);
  await look(sqlHome);
  await look(edgeHome);
  await look(vault);
  await look(slots);
  await look(wal);
}
