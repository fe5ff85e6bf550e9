/**
 * A query of one text: why rows of a table cannot be read from the WAL, in words that end a sentence; null when they can. The
 * replica identity decides what the WAL has of a row before a change (postgresql.org/docs, "Publication", "Replica Identity"); one
 * that says nothing makes the app's own UPDATE and DELETE fail once the table is published.
 * @param relation SQL: the table's quoted name
 * @param needs SQL: text[], columns whose former values are needed
 * @param full SQL: boolean, all of them are
 */
export function identityOf(relation: string, needs: string, full: string): string {
  return `with family as (
    ${IDENTITY}
      from pg_catalog.pg_partition_tree(to_regclass(${relation})) t join pg_catalog.pg_class c on c.oid = t.relid where t.isleaf
    union all
    ${IDENTITY}
      from pg_catalog.pg_class c where c.oid = to_regclass(${relation}) and c.relkind <> 'p' and not c.relispartition)
  select case
      when bool_or(f.relpersistence <> 'p' or f.relkind <> 'r') then 'it is not wholly written to the WAL'
      when exists (select from pg_catalog.pg_inherits i join pg_catalog.pg_class c on c.oid = i.inhrelid
            where i.inhparent = to_regclass(${relation}) and not c.relispartition) then 'other tables inherit from it'
      when bool_or(cardinality(f.identity) = 0) then 'it has no replica identity'
      when bool_or(f.relreplident = 'f' and f.virtual) then 'its replica identity has a column that is generated and not stored'
      when ${full} and bool_or(f.relreplident <> 'f') then 'its replica identity is not FULL'
      when bool_or(not f.identity @> ${needs}) then
        'its replica identity has not ' || (select string_agg(n, ', ' order by n) from unnest(${needs}) n where exists (select from family g where not n = any(g.identity))) end
    from family f`;
}

const IDENTITY = `select c.relkind, c.relpersistence, c.relreplident,
           exists (select from pg_catalog.pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and a.attgenerated = 'v') as virtual,
           case c.relreplident when 'n' then '{}' when 'f' then array(select a.attname::text from pg_catalog.pg_attribute a where a.attrelid = c.oid and a.attnum > 0)
             else array(select a.attname::text from pg_catalog.pg_index x join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = any(x.indkey)
               where x.indrelid = c.oid and case c.relreplident when 'd' then x.indisprimary else x.indisreplident end) end as identity`;
