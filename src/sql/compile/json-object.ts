import { quoteLiteral } from '../quote.ts';
import { jsonArgument, type SqlValue } from './value.ts';

/** A member of a JSON object that SQL builds. */
export interface JsonMember {
  readonly name: string;
  readonly value: SqlValue;
  /** True: a null stays as null. False: it is left out. */
  readonly keepNull: boolean;
}

/** One `jsonb_build_object` takes at most 100 arguments. */
const MEMBERS_PER_OBJECT = 40;

/** A jsonb object of the members, as SQL. */
export function jsonObject(members: readonly JsonMember[]): string {
  const objects: string[] = [];
  const build = (list: readonly JsonMember[], wrap: (sql: string) => string): void => {
    for (let from = 0; from < list.length; from += MEMBERS_PER_OBJECT) {
      const pairs = list
        .slice(from, from + MEMBERS_PER_OBJECT)
        .map((m) => `${quoteLiteral(m.name)}, ${jsonArgument(m.value)}`);
      objects.push(wrap(`jsonb_build_object(${pairs.join(', ')})`));
    }
  };
  build(
    members.filter((m) => !m.keepNull && m.value.type !== 'json'),
    (sql) => `jsonb_strip_nulls(${sql})`,
  );
  build(
    members.filter((m) => m.keepNull),
    (sql) => sql,
  );
  // Nulls inside a json value are part of it, so only the value as a whole is tested.
  for (const m of members.filter((x) => !x.keepNull && x.value.type === 'json')) {
    const value = jsonArgument(m.value);
    objects.push(
      `case when nullif(${value}, 'null'::jsonb) is null then '{}'::jsonb else jsonb_build_object(${quoteLiteral(m.name)}, ${value}) end`,
    );
  }
  return objects.length === 0 ? `'{}'::jsonb` : objects.join('\n           || ');
}
