import { isJsonObject } from '../../core/json.ts';
import { error, ok } from '../doctor/finding.ts';
import { count } from '../layout.ts';
import { keyKind } from '../../core/project-key.ts';
import { type Answer, ask } from '../../sources/api/project.ts';
import { problemOf, type Project, type ProjectCheck } from './project.ts';

/** The description of the Data API: PostgREST shows what the key's role may use (docs/references/api/openapi.rst). */
const ROOT = '/rest/v1/';
const OPENAPI = 'application/openapi+json';

interface ApiFacts {
  readonly answer: Answer;
  readonly key: ReturnType<typeof keyKind>;
}

/** What both checks of the Data API judge: it is asked once. */
export async function readRest(project: Project): Promise<ApiFacts> {
  return { answer: await ask(project, ROOT, { headers: { accept: OPENAPI } }), key: keyKind(project.key) };
}

/** That the project is there, and takes the key. */
export const api: Pick<ProjectCheck<ApiFacts>, 'area' | 'judge'> = {
  area: 'API',
  judge({ answer, key }, { url }) {
    if (key === 'publishable') {
      return error(
        'RC_PROJECT_KEY_PUBLIC',
        'API: the key is the public one: it sees only what Row Level Security lets everybody see.',
        'Take a secret key (sb_secret_...) from Settings, API Keys; it never belongs into an app or a page.',
      );
    }
    return problemOf(answer, 'API', url) ?? ok('API connection successful');
  },
};

/** How many tables and views the key may read. */
export const tables: Pick<ProjectCheck<ApiFacts>, 'area' | 'judge'> = {
  area: 'tables',
  judge({ answer }, { url }) {
    const problem = problemOf(answer, 'Tables', url);
    if (problem !== undefined || !answer.answered) return problem ?? { skipped: 'Tables not counted' };
    const found = tablesIn(answer);
    // Some stand-ins of PostgREST describe nothing.
    if (found === undefined) return ok('Tables readable (not counted: the Data API does not list them)');
    const least = found.cut ? 'at least ' : '';
    // Since 30 October 2026 a new table is granted to no role by itself (changelog 45329).
    const none = found.tables === 0 ? '; a table that is not granted to service_role is not seen' : '';
    return ok(`Tables readable (${least}${count(found.tables, 'table')} found${none})`);
  },
};

/** Paths of tables and views; those below `/rpc/` are functions. A description may be longer than what is read of it. */
function tablesIn({ json, body }: Extract<Answer, { answered: true }>): { tables: number; cut: boolean } | undefined {
  if (json !== undefined) {
    const paths = isJsonObject(json) ? json['paths'] : undefined;
    return isJsonObject(paths) ? { tables: Object.keys(paths).filter(isTable).length, cut: false } : undefined;
  }
  const seen = [...body.matchAll(/"(\/[^"]*)":\{"(?:get|post|patch|delete|parameters)"/g)].map(([, path = '']) => path);
  return seen.length === 0 ? undefined : { tables: new Set(seen.filter(isTable)).size, cut: true };
}

function isTable(path: string): boolean {
  return /^\/(?!rpc\/)./.test(path);
}
