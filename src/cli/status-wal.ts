import type { WalGauges } from '../core/gauges.ts';
import { count } from './layout.ts';
import type { Problem } from './status-problems.ts';

/** From so much on a slot that nobody reads is told of, in bytes: one segment of the WAL is always kept. */
const SOME = 64 * 1_048_576;

/** How changes are seen, in a line; undefined where triggers see all of them. */
export function walLine(wal: WalGauges | null | undefined): string | undefined {
  if (wal === null || wal === undefined) return undefined;
  const { slot, by_wal: byWal, by_triggers: byTriggers, kept, wanted } = wal;
  if (slot === null) return wanted ? 'Triggers capture changes: there is no replication slot.' : undefined;
  const size = `${slot} keeps ${megabytes(kept)} of the write-ahead log`;
  const how = wanted ? '' : ', and is gone once a worker has read the rest';
  const others = byTriggers.length === 0 ? '' : ` Triggers capture ${byTriggers.join(', ')}.`;
  return `Changes of ${count(byWal, 'table')} are read from the write-ahead log: ${size}${how}.${others}`;
}

/** What is wrong with it. */
export function walProblems(wal: WalGauges | null | undefined): readonly Problem[] {
  if (wal === null || wal === undefined) return [];
  const { given_up: givenUp, slot, status, reading, kept } = wal;
  if (givenUp !== null) {
    return [
      {
        code: 'RC_WAL_GIVEN_UP',
        message: `The replication slot was given up, as it kept more than \`wal.keep\`${slot === null ? '' : '; what is left in it is read'}: triggers capture changes.`,
        hint: 'Nothing is lost by that, but for events where the slot had to be dropped unread (above). When what held it up is gone (no worker, a transaction that was open for long): `rollcall apply` goes back to the write-ahead log.',
      },
    ];
  }
  if (status === 'lost' || (slot !== null && status === null)) {
    return [
      {
        code: 'RC_WAL_SLOT_LOST',
        message: `The replication slot ${slot ?? ''} is ${status === null ? 'gone' : 'lost'}: changes since are not captured.`,
        hint: 'A running worker (`rollcall start`) makes it anew, and a sweep finds what contacts have missed; events of that time are lost.',
      },
    ];
  }
  if (slot === null || reading || kept < SOME) return [];
  return [
    {
      code: 'RC_WAL_NOT_READ',
      message: `No worker reads the replication slot ${slot}, and the server keeps ${megabytes(kept)} of the write-ahead log for it.`,
      hint: 'Start a worker (`rollcall start`), or see what its log says of the write-ahead log: the disk fills up else.',
    },
  ];
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1_048_576).toLocaleString('en-US')} MB`;
}
