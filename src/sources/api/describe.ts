import { isJsonObject, type Json } from '../../core/json.ts';
import type { TableName } from '../../core/mapping.ts';

/** A column as the Data API describes it. */
export interface DescribedColumn {
  readonly name: string;
  /** The type, as `format_type` says it. */
  readonly format: string;
}

/** A table or view that the Data API shows to the key. */
export interface DescribedTable extends TableName {
  readonly columns: readonly DescribedColumn[];
  /** Names; empty where it has none, or where a view does not show it. */
  readonly primaryKey: readonly string[];
  /** Foreign keys of one column, to tables of the same schema. */
  readonly references: readonly (TableName & { readonly column: string; readonly targetColumn: string })[];
}

/**
 * Reads the description that PostgREST gives of a schema: `definitions`, by table; of each column the type as `format`, and `<pk/>` in the
 * description of those of the primary key, `<fk table='..' column='..'/>` of a foreign key (PostgREST:docs/references/api/openapi.rst, src/PostgREST/Response/OpenAPI.hs).
 * @returns undefined where the answer describes nothing: it is switched off, or no description
 */
export function readDescription(json: Json | undefined, schema: string): readonly DescribedTable[] | undefined {
  const definitions = isJsonObject(json) ? json['definitions'] : undefined;
  if (!isJsonObject(definitions)) return undefined;
  return Object.entries(definitions).flatMap(([table, definition]) => {
    const properties = isJsonObject(definition) ? definition['properties'] : undefined;
    if (!isJsonObject(properties)) return [];
    const columns = Object.entries(properties);
    return [
      {
        schema,
        table,
        columns: columns.map(([name, column]) => ({ name, format: textOf(column, 'format') ?? 'text' })),
        primaryKey: columns
          .filter(([, column]) => textOf(column, 'description')?.includes('<pk/>'))
          .map(([name]) => name),
        references: columns.flatMap(([name, column]) => referenceOf(schema, name, textOf(column, 'description') ?? '')),
      },
    ];
  });
}

function referenceOf(schema: string, column: string, text: string): DescribedTable['references'] {
  const [, table, targetColumn] = /<fk table='([^']*)' column='([^']*)'\/>/.exec(text) ?? [];
  return table === undefined || targetColumn === undefined ? [] : [{ schema, table, column, targetColumn }];
}

function textOf(of: Json, key: string): string | undefined {
  const value = isJsonObject(of) ? of[key] : undefined;
  return typeof value === 'string' ? value : undefined;
}
