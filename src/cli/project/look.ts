import type { Config } from '../../config/types.ts';
import type { Send } from '../../engine/ports.ts';
import { connection } from '../doctor/check-connection.ts';
import { project } from '../doctor/check-project.ts';
import { sources } from '../doctor/check-sources.ts';
import { triggers } from '../doctor/check-triggers.ts';
import { error, type Finding } from '../doctor/finding.ts';
import { attributesOf, lookAt, lookAtDestinations, openToLook, withSecrets } from '../doctor/look.ts';
import { RollcallError } from '../../core/errors.ts';
import { auth } from './check-auth.ts';
import { functions } from './check-functions.ts';
import { realtime } from './check-realtime.ts';
import { api, readRest, tables } from './check-rest.ts';
import { storage } from './check-storage.ts';
import type { Project, ProjectCheck } from './project.ts';

/** One line of the test. */
export interface Line {
  readonly area: string;
  readonly state: 'ok' | 'failed' | 'skipped';
  /** As in docs/errors.md; null unless it failed. */
  readonly code: string | null;
  readonly what: string;
  /** What mends it; null unless it failed. */
  readonly fix: string | null;
}

/** Told each line as it is there, and what is looked at next. */
export interface Watching {
  readonly onStep: (area: string) => void;
  readonly onLine: (line: Line) => void;
}

/** The lines of the project's own services, in the order of the page. */
export async function lookAtProject(project: Project, { onStep, onLine }: Watching): Promise<void> {
  const tell = (area: string, found: Finding | { readonly skipped: string }): void =>
    onLine('skipped' in found ? skipped(area, found.skipped) : lineOf(area, found));
  const look = async <Facts>(check: ProjectCheck<Facts>): Promise<void> => {
    onStep(check.area);
    tell(check.area, check.judge(await check.read(project), project));
  };
  onStep(api.area);
  const rest = await readRest(project);
  tell(api.area, api.judge(rest, project));
  await look(auth);
  tell(tables.area, tables.judge(rest, project));
  await look(storage);
  await look(realtime);
  await look(functions);
}

/** What the lines of its services say. */
const TOLD: ReadonlySet<string> = new Set(['RC_PROJECT_KEY', 'RC_PROJECT_AWAY']);

/** The lines of the database, and of each destination: by the judges of `rollcall doctor`. */
export async function lookAtDelivery(
  config: Config,
  send: Send,
  pause: (ms: number) => Promise<void>,
  { onStep, onLine }: Watching,
): Promise<void> {
  const add = (area: string, findings: readonly Finding[]): void => {
    const named = area === 'destinations' ? '' : `${area[0]?.toUpperCase() ?? ''}${area.slice(1)}: `;
    for (const finding of findings) onLine(lineOf(area, { ...finding, what: named + finding.what }));
  };
  const sql = await openToLook(config);
  if (sql instanceof RollcallError) {
    add('database', [error(sql.code, sql.message, sql.hint ?? 'Set database_url.')]);
    await lookAtDestinations({ config, send, onStep, resolved: undefined, attributes: undefined }, add);
    return;
  }
  try {
    const place = { sql, config, send, pause };
    onStep('database');
    add('database', (await lookAt(connection, place)).findings);
    onStep('project');
    const { facts: read, findings } = await lookAt(project, place);
    // When it was read is for `status`.
    const problem = read?.problem?.code;
    if (problem !== undefined && !TOLD.has(problem))
      add(
        'project',
        findings.filter(({ code }) => code === problem),
      );
    if (read?.known === false) {
      await lookAtDestinations({ config, send, onStep, resolved: undefined, attributes: undefined }, add);
      return;
    }
    onStep('triggers');
    add('triggers', (await lookAt(triggers, place)).findings);
    onStep('mapping');
    const fit = await lookAt(sources, place);
    add('mapping', fit.findings);
    const resolved = await withSecrets(config, sql);
    await lookAtDestinations({ config, send, onStep, resolved, attributes: attributesOf(fit.facts) }, add);
  } finally {
    await sql.close();
  }
}

/** A line for what there is nothing to be said of. */
export function skipped(area: string, what: string): Line {
  return { area, state: 'skipped', code: null, what, fix: null };
}

function lineOf(area: string, { severity, code, what, fix }: Finding): Line {
  return { area, state: severity === 'ok' ? 'ok' : 'failed', code, what, fix };
}
