/**
 * A stand-in of PostgREST for reading: `select`, `order`, `limit`, and conditions by `eq`, `gt`, `gte`, `in`, `and` and `or`, with quotes as
 * in its grammar (PostgREST:docs/references/api/url_grammar.rst). Its answers are what Postgres makes of the rows, digit for digit.
 */
export function rowsSql(
  table: string,
  schema: string,
  query: URLSearchParams,
  maxRows: number,
): { readonly text: string; readonly values: readonly string[] } {
  const values: string[] = [];
  const conditions: string[] = [];
  for (const [name, value] of query) {
    if (name === 'select' || name === 'order' || name === 'limit') continue;
    if (name === 'or' || name === 'and') conditions.push(new Logic(`${name}${value}`, values).condition());
    else conditions.push(condition(unquoted(name), value, values));
  }
  const list = split(query.get('select') ?? '*').map((name) => ident(unquoted(name)));
  const order = split(query.get('order') ?? '').map((part) => {
    const [name = '', direction = 'asc'] = part.split(/\.(?=(?:asc|desc)$)/);
    return `${ident(unquoted(name))} ${direction === 'desc' ? 'desc' : 'asc'}`;
  });
  const limit = Math.min(maxRows, Number(query.get('limit') ?? maxRows));
  const rows = `select ${list.join(', ')} from ${ident(schema)}.${ident(table)}
    ${conditions.length === 0 ? '' : `where ${conditions.join(' and ')}`} ${order.length === 0 ? '' : `order by ${order.join(', ')}`} limit ${limit}`;
  return { text: `select coalesce(json_agg(x), '[]')::text as body from (${rows}) x`, values };
}

/** The description that PostgREST gives of a schema: types, primary keys and foreign keys of one column. */
export const OPENAPI = /* sql */ `
select json_build_object('swagger', '2.0', 'definitions', coalesce((select json_object_agg(c.relname, json_build_object('type', 'object', 'properties', (
  select json_object_agg(a.attname, json_build_object('format', format_type(a.atttypid, null), 'description',
    coalesce((select 'Note:' || chr(10) || 'This is a Primary Key.<pk/>' from pg_constraint k where k.conrelid = c.oid and k.contype = 'p' and a.attnum = any(k.conkey)), '')
    || coalesce((select format('Note: This is a Foreign Key to %s.<fk table=''%s'' column=''%s''/>', t.relname, t.relname, b.attname)
        from pg_constraint k join pg_class t on t.oid = k.confrelid and t.relnamespace = c.relnamespace
        join pg_attribute b on b.attrelid = t.oid and b.attnum = k.confkey[1]
       where k.conrelid = c.oid and k.contype = 'f' and k.conkey = array[a.attnum] limit 1), '')) order by a.attnum)
    from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped)))
  from pg_class c where c.relnamespace = to_regnamespace($1) and c.relkind in ('r', 'v')), '{}')) as description`;

/** A logic tree: `and(a.eq."x",or(...))`. */
class Logic {
  readonly #text: string;
  readonly #values: string[];
  #at = 0;

  constructor(text: string, values: string[]) {
    this.#text = text;
    this.#values = values;
  }

  condition(): string {
    const word = /^(?:and|or)(?=\()/.exec(this.#text.slice(this.#at))?.[0];
    if (word === undefined) return this.#leaf();
    this.#at += word.length + 1;
    const parts: string[] = [];
    while (this.#text[this.#at] !== ')') {
      parts.push(this.condition());
      if (this.#text[this.#at] === ',') this.#at += 1;
    }
    this.#at += 1;
    return `(${parts.join(` ${word} `)})`;
  }

  #leaf(): string {
    const [whole, name, operator, value] =
      /^("(?:[^"\\]|\\.)*"|[^.]+)\.(eq|gt|gte)\.("(?:[^"\\]|\\.)*"|[^,)]*)/.exec(this.#text.slice(this.#at)) ?? [];
    if (whole === undefined) throw new Error(`not understood: ${this.#text.slice(this.#at)}`);
    this.#at += whole.length;
    this.#values.push(unquoted(value!));
    return `${ident(unquoted(name!))} ${OPERATORS[operator!]} $${this.#values.length}`;
  }
}

const OPERATORS: Readonly<Record<string, string>> = { eq: '=', gt: '>', gte: '>=' };

function condition(column: string, text: string, values: string[]): string {
  const [, operator = '', value = ''] = /^(\w+)\.([\s\S]*)$/.exec(text) ?? [];
  if (operator === 'in') {
    const all = split(value.slice(1, -1)).map((each) => {
      values.push(unquoted(each));
      return `$${values.length}`;
    });
    return `${ident(column)} in (${all.join(', ')})`;
  }
  values.push(value);
  return `${ident(column)} ${OPERATORS[operator]} $${values.length}`;
}

/** At commas that are not in quotes. */
function split(text: string): readonly string[] {
  return text.match(/(?:"(?:[^"\\]|\\.)*"|[^,"])+/g) ?? [];
}

function unquoted(text: string): string {
  return text.startsWith('"') ? text.slice(1, -1).replaceAll(/\\(.)/g, '$1') : text;
}

function ident(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
