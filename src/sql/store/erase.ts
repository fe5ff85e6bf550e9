import { randomBytes } from 'node:crypto';
import { RollcallError } from '../../core/errors.ts';
import { VAULT_NAME } from '../functions/erasure-key.ts';
import { type Queryable, sqlState } from '../port.ts';
import type { Identity } from './identity.ts';
import { retryConflict } from './retry-conflict.ts';

/** An erasure as `rollcall.erasure_list` tells of it. */
export interface Erasure {
  readonly id: string;
  readonly by: 'operator' | 'user.deleted' | 'recover';
  readonly requested_at: string;
  readonly finished_at?: string;
  readonly state: 'at_work' | 'finished';
  /** Keyed hashes of the keys of its contacts. */
  readonly hashes?: readonly string[];
  readonly destinations: Readonly<Record<string, ErasureAt>>;
}

/** What becomes, or became, of the person at one destination. */
export interface ErasureAt {
  readonly state?: 'off' | 'paused' | 'held' | 'failed' | 'deleting' | 'reading' | 'done';
  readonly deleted_at?: string;
  readonly read_back?: 'gone' | 'cannot_be_read' | 'never_there' | 'taken' | 'left_out';
  readonly read_at?: string;
  readonly found_again?: number;
}

/** What the command needs of the database. */
export interface EraseStore {
  /** Makes a key where Vault could hold one and there is none at all; whether it did. */
  makeKey(): Promise<boolean>;
  /** Keys of the contacts that somebody is; none when nothing is held about them. */
  whom(who: string): Promise<readonly string[]>;
  /** @throws RollcallError `RC_PERSON_UNKNOWN`; `RC061` and `RC062` of the driver */
  erase(who: string): Promise<string>;
  /** A destination is not waited for. */
  leaveOut(id: string, destination: string): Promise<boolean>;
  list(id?: string): Promise<readonly Erasure[]>;
  /** Whether a worker was heard of in the last minute. */
  isWorked(): Promise<boolean>;
}

export function eraseStore(sql: Queryable, { erasureKey }: Identity): EraseStore {
  const key = erasureKey ?? null;
  return {
    async makeKey() {
      if (key !== null) return false;
      const [row] = await sql.query<{ wanted: boolean }>(
        `select to_regprocedure('vault.create_secret(text,text,text,uuid)') is not null and rollcall.erasure_key() is null
                and (select i.erasure_check is null from rollcall.install i) as wanted`,
      );
      if (row?.wanted !== true) return false;
      await sql.query('select vault.create_secret($1, $2, $3)', [
        randomBytes(32).toString('base64'),
        VAULT_NAME,
        'Rollcall: what the hashes of erased people are made with. Never change it.',
      ]);
      return true;
    },
    async whom(who) {
      const [row] = await sql.query<{ keys: readonly string[] }>('select rollcall.erase_whom($1) as keys', [who]);
      return row?.keys ?? [];
    },
    async erase(who) {
      try {
        const [row] = await retryConflict(() =>
          sql.query<{ id: string }>('select rollcall.erase(rollcall.with_key($1, $2))::text as id', [who, key]),
        );
        return row?.id ?? '';
      } catch (error) {
        throw sqlState(error) === 'RC063' ? personUnknown() : error;
      }
    },
    async leaveOut(id, destination) {
      const [row] = await sql.query<{ done: boolean }>('select rollcall.leave_out($1, $2) as done', [id, destination]);
      return row?.done === true;
    },
    async list(id) {
      const [row] = await sql.query<{ list: readonly Erasure[] }>('select rollcall.erasure_list($1) as list', [
        id ?? null,
      ]);
      return row?.list ?? [];
    },
    async isWorked() {
      const [row] = await sql.query<{ worked: boolean }>(
        `select exists (select from rollcall.destinations d
           where d.enabled and d.alive_at > clock_timestamp() - interval '1 minute') as worked`,
      );
      return row?.worked === true;
    },
  };
}

/** What to say when nothing is held about somebody. */
export function personUnknown(): RollcallError {
  return new RollcallError('RC_PERSON_UNKNOWN', 'Nothing is held about that person.', {
    hint: 'Give the id of auth.users, or the address they have now.',
  });
}
