import { error, ok } from '../doctor/finding.ts';
import { count } from '../layout.ts';
import { type Answer, get } from '../../sources/api/project.ts';
import { type ProjectCheck } from './project.ts';

/**
 * How many Edge Functions are deployed. Only the Management API tells (`GET /v1/projects/{ref}/functions`), with a token of a
 * person: the project's own key does not open it.
 */
export const functions: ProjectCheck<Answer | undefined> = {
  area: 'Edge Functions',
  async read({ management, send }) {
    if (management === undefined) return undefined;
    const { url, token, ref } = management;
    return await get(send, {
      url: `${url}/v1/projects/${encodeURIComponent(ref)}/functions`,
      headers: { accept: 'application/json' },
      auth: { header: 'authorization', value: `Bearer ${token}` },
    });
  },
  judge(answer) {
    if (answer === undefined) {
      return {
        skipped: 'Edge Functions not counted: set SUPABASE_ACCESS_TOKEN (supabase.com/dashboard/account/tokens)',
      };
    }
    if (answer.answered && answer.status === 200 && Array.isArray(answer.json)) {
      return ok(`Edge Functions available (${count(answer.json.length, 'function')})`);
    }
    const why = answer.answered ? `HTTP ${answer.status}` : answer.code;
    return error(
      'RC_PROJECT_TOKEN',
      `Edge Functions: the Management API does not tell them (${why}).`,
      'Make a token of an account that may see this project at supabase.com/dashboard/account/tokens, and set SUPABASE_ACCESS_TOKEN.',
    );
  },
};
