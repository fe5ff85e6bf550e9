import type { ConsentBasis } from '../../core/mapping.ts';
import { pathValue, type RowScope } from './value.ts';

/** The column of the app that says who may be mailed, and what stands beside it. */
export type AnswerColumn = ConsentBasis & { readonly kind: 'column' };

/** Every column that an answer is made of. */
export function answerPaths({ path, at, confirmed }: AnswerColumn): readonly (readonly [string, ...string[]])[] {
  return [path, at, confirmed].filter((each) => each !== undefined);
}

/** The columns of the answers as one text: another one begins anew. Undefined where there are none. */
export function answerSource(consent: ConsentBasis | undefined): string | undefined {
  if (consent?.kind !== 'column') return undefined;
  const { table, path, at, confirmed } = consent;
  return JSON.stringify([table ?? null, path, at ?? null, confirmed ?? null]);
}

/** What a value that says whether somebody opted in means, as SQL. */
export function consentOf(sql: string): string {
  const value = `lower((${sql})::text)`;
  return `case when ${value} in ('true', 't', 'yes', 'y', 'on', '1') then 'basis'
           when ${value} in ('false', 'f', 'no', 'n', 'off', '0') then 'opted_out' else 'missing' end`;
}

/**
 * An answer with its date, as SQL over a row: see functions/answers.ts. A date beside a no is that of the yes before it, so it is left
 * out.
 */
export function answerOf(consent: AnswerColumn, row: RowScope): string {
  const { path, at, confirmed } = consent;
  const said = consentOf(pathValue(path, row).sql);
  if (at === undefined && confirmed === undefined) return said;
  const text = (other: readonly [string, ...string[]]): string => `(${pathValue(other, row).sql})::text`;
  const times = [at, confirmed].flatMap((other) => (other === undefined ? [] : [`rollcall.micros_of(${text(other)})`]));
  const counts = confirmed === undefined ? 'true' : `coalesce(rollcall.is_confirmed(${text(confirmed)}), false)`;
  return `(select case when x.said <> 'basis' then x.said when not ${counts} then 'missing'
             else concat_ws(' ', x.said, greatest(${times.join(', ')})) end from (select ${said} as said) as x)`;
}
