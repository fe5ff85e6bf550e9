import { ok } from '../doctor/finding.ts';
import { count } from '../layout.ts';
import { type Answer, ask } from '../../sources/api/project.ts';
import { problemOf, type ProjectCheck } from './project.ts';

interface Facts {
  readonly settings: Answer;
  /** One user, for the number of all. */
  readonly users: Answer;
}

/** That Supabase Auth answers, and how many users it has (auth:internal/api/admin.go, `X-Total-Count`). */
export const auth: ProjectCheck<Facts> = {
  area: 'Auth',
  async read(project) {
    return {
      settings: await ask(project, '/auth/v1/settings'),
      users: await ask(project, '/auth/v1/admin/users?page=1&per_page=1'),
    };
  },
  judge({ settings, users }, { url }) {
    const problem = problemOf(settings, 'Auth', url);
    if (problem !== undefined) return problem;
    const total = users.answered && users.status === 200 ? Number(users.headers['x-total-count'] ?? NaN) : NaN;
    return ok(
      Number.isInteger(total)
        ? `Auth endpoint accessible (${count(total, 'user')})`
        : 'Auth endpoint accessible (users not counted: the key may not list them)',
    );
  },
};
