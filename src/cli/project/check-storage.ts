import { error, ok } from '../doctor/finding.ts';
import { count } from '../layout.ts';
import { type Answer, ask } from '../../sources/api/project.ts';
import { problemOf, type ProjectCheck } from './project.ts';

/** That Storage answers, and how many buckets it has. */
export const storage: ProjectCheck<Answer> = {
  area: 'storage',
  read: (project) => ask(project, '/storage/v1/bucket'),
  judge(answer, { url }) {
    const problem = problemOf(answer, 'Storage', url);
    if (problem !== undefined || !answer.answered) return problem ?? { skipped: 'Storage not asked' };
    if (!Array.isArray(answer.json)) {
      return error(
        'RC_PROJECT_ANSWER',
        'Storage: the answer is no list of buckets.',
        'See the logs of the project (dashboard, Logs, Storage).',
      );
    }
    return ok(`Storage accessible (${count(answer.json.length, 'bucket')})`);
  },
};
