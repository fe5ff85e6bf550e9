import type { Config } from '../config/types.ts';
import { foresee, type Foreseen } from '../sql/foresee.ts';
import { isOn } from '../sql/generated.ts';
import { sqlState, type Sql } from '../sql/port.ts';
import type { DatabasePlan } from './apply-plan.ts';
import { wrap } from './layout.ts';

/** What `apply` announces of contacts; undefined when it could not be counted. */
export type Announcement = readonly Foreseen[] | undefined;

const BUDGET_MS = 10_000;

/**
 * How many contacts another mapping would change, and how many would leave. None where nothing is installed yet, where the
 * mapping is the same, and before migrations: those would lock what workers use.
 * @throws the driver's error when the database is not there any more
 */
export async function announce(sql: Sql, config: Config, plan: DatabasePlan): Promise<Announcement> {
  const { installed, migrations, sources } = plan;
  if (installed === undefined || installed.configHash === config.hash || !isOn(config)) return [];
  const same = config.destinations.filter(
    (d) =>
      installed.destinations.includes(d.name) &&
      (d.account ?? installed.accounts[d.name]) === installed.accounts[d.name],
  );
  if (same.length === 0) return [];
  if (migrations.length > 0) return undefined;
  try {
    return await foresee(
      sql,
      config,
      sources,
      same.map((d) => d.name),
      BUDGET_MS,
    );
  } catch (error) {
    // What is wrong with the mapping is told by the install itself, with its place.
    if (sqlState(error) === undefined) throw error;
    return undefined;
  }
}

/** As lines, each wrapped; none when there is nothing to say. */
export function renderAnnouncement(announced: Announcement, width: number): readonly string[] {
  if (announced === undefined) {
    return [
      wrap('How many contacts change or leave could not be counted: too many within an hour meet the brakes.', width),
    ];
  }
  return announced.map(({ destination, leaving, changing, complete }) => {
    const least = complete ? '' : 'at least ';
    const counts = `${least}${changing.toLocaleString('en-US')} will change, ${least}${leaving.toLocaleString('en-US')} will leave.`;
    const rest = complete ? '' : ' Not all could be counted in 10 s: the others meet the brakes.';
    const yes = changing + leaving > 0 ? ' Once confirmed, they pass the brakes within the next hour.' : '';
    return wrap(`Contacts at ${destination}: ${counts}${yes}${rest}`, width);
  });
}
