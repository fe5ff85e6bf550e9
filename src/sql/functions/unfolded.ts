/**
 * Rows of the log that no fold has taken, as an SQL subquery: the only place that says so beside the fold itself.
 * @param columns of the log's tables
 * @param most rows of each table that are looked at; undefined for all
 */
export function unfolded(columns: readonly string[], most?: number): string {
  const taken = columns.map((c) => `x.${c}`).join(', ');
  const limit = most === undefined ? '' : ` limit ${most}`;
  const tables = [0, 1, 2].map(
    (n) => `(select ${taken}, x.xid from rollcall.changes_${n} x where x.xid >= pg_snapshot_xmin(p.lo)${limit})`,
  );
  return `(select ${columns.map((c) => `c.${c}`).join(', ')}
      from (select p.lo from rollcall.fold_position p order by p.id desc limit 1) p
      cross join lateral (
        ${tables.join('\n        union all ')}) c
     where not pg_visible_in_snapshot(c.xid, p.lo))`;
}
