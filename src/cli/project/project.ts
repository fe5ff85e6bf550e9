import type { Answer, Project as Asked } from '../../sources/api/project.ts';
import { AWAY_HINT, hostOf, KEY_HINT } from '../../sources/api/project.ts';
import { error, type Finding } from '../doctor/finding.ts';

/** A Supabase project as its APIs are tested. */
export interface Project extends Asked {
  /** The Management API, with a token that may read the project; undefined where there is none. */
  readonly management: { readonly url: string; readonly token: string; readonly ref: string } | undefined;
}

/** One line of the test: what is read is read once, and what follows is decided without looking again. */
export interface ProjectCheck<Facts> {
  readonly area: string;
  /** Never throws. */
  read(project: Project): Promise<Facts>;
  /** Pure. Undefined: there was nothing to look at, for the reason that comes with it. */
  judge(facts: Facts, project: Pick<Project, 'url'>): Finding | { readonly skipped: string };
}

/** What an answer means that is not the one that was hoped for; undefined where it is (a 200). Pure. */
export function problemOf(answer: Answer, what: string, url: string): Finding | undefined {
  const host = hostOf(url);
  if (!answer.answered) {
    return error('RC_PROJECT_AWAY', `${what}: ${host} can't be reached (${answer.code}).`, AWAY_HINT);
  }
  const { status } = answer;
  if (status === 200) return undefined;
  if (status === 401 || status === 403) {
    return error('RC_PROJECT_KEY', `${what}: ${host} refuses the key (HTTP ${status}).`, KEY_HINT);
  }
  if (status === 404) {
    return error(
      'RC_PROJECT_NOT_FOUND',
      `${what}: ${host} has no such service (HTTP 404).`,
      'Is connectors.supabase.project_url the address of a Supabase project, as https://<ref>.supabase.co?',
    );
  }
  return error(
    'RC_PROJECT_ANSWER',
    `${what}: ${host} answers with HTTP ${status}.`,
    'See the logs of the project (dashboard, Logs), and status.supabase.com.',
  );
}
