import type { AlertKind } from '../../core/alerts.ts';
import type { AlertStore, TakenAlert } from '../../engine/alert-loop.ts';
import type { Queryable } from '../port.ts';
import type { Identity } from './identity.ts';
import { retryConflict } from './retry-conflict.ts';

interface Row {
  readonly [column: string]: unknown;
  readonly id: string;
  readonly kind: AlertKind;
  readonly subject: string;
  readonly detail: TakenAlert['detail'];
  readonly began_at: string;
  readonly ended_at: string | null;
  readonly tries: number;
}

/** What was wrong and who was told, over Postgres. A copy of the database tells nobody: see `check_install`. */
export function alertStore(
  sql: Queryable,
  { configHash, projectRef, environment }: Identity,
): Omit<AlertStore, 'gauges'> {
  const install = [configHash, projectRef, environment];
  return {
    async myTurn(everyMs) {
      const [row] = await sql.query<{ mine: boolean }>(
        `select rollcall.take_alert_turn($1::bigint * interval '1 millisecond') as mine`,
        [Math.round(everyMs)],
      );
      return row?.mine === true;
    },
    async note(alerts, quietMs) {
      await retryConflict(() =>
        sql.query(
          `select rollcall.check_install($1, $2, $3), rollcall.note_alerts($4, $5::bigint * interval '1 millisecond')`,
          [...install, JSON.stringify(alerts), Math.round(quietMs)],
        ),
      );
    },
    async take(holdMs, limit) {
      const rows = await sql.query<Row>(
        `select t.id, t.kind, t.subject, t.detail, t.tries, to_jsonb(t.began_at) #>> '{}' as began_at, to_jsonb(t.ended_at) #>> '{}' as ended_at
           from rollcall.take_alerts($1::bigint * interval '1 millisecond', $2) t`,
        [Math.round(holdMs), limit],
      );
      return rows.map(({ began_at: beganAt, ended_at: endedAt, id, ...row }) => ({
        ...row,
        // Each of the two messages has an id of its own; a repetition has the same.
        id: `alert_${id}_${endedAt === null ? 'begun' : 'ended'}`,
        beganAt,
        endedAt,
      }));
    },
    async told(message) {
      await sql.query('select rollcall.alert_told($1, $2)', [rowOf(message), message.endedAt !== null]);
    },
    async untold(message, waitMs) {
      await sql.query(`select rollcall.alert_untold($1, $2::bigint * interval '1 millisecond')`, [
        rowOf(message),
        Math.round(waitMs),
      ]);
    },
  };
}

function rowOf({ id }: TakenAlert): string {
  return id.replace(/^alert_|_(?:begun|ended)$/g, '');
}
