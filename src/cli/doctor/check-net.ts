import { sqlState, type Queryable } from '../../sql/port.ts';
import { homeStates } from './installed.ts';
import { type Check, error, type Finding, ok, warn } from './finding.ts';

/** What waits to be sent. */
interface Queue {
  readonly n: number;
  /** As text: a bigint. */
  readonly oldest: string | null;
}

interface Facts {
  readonly installed: boolean;
  /** Whether the extension says that its worker runs; null where it cannot say. */
  readonly up: boolean | null;
  readonly first: Queue;
  /** A moment later; the same where nothing waited. */
  readonly second: Queue;
  /** Answers of the last six hours, as it keeps no more, and how many of them say no or are none. */
  readonly answers: { readonly all: number; readonly failed: number; readonly refused: number };
  /** A home needs it. */
  readonly needed: boolean;
}

/** The worker rests for a second between two batches, and a request takes 5 s at most. */
const MOVES_WITHIN_MS = 6_500;
const LOOK_MS = 500;
const LONG = 10_000;

const RESTART = 'select net.worker_restart();  -- or restart the project (dashboard, Settings, General)';

/** pg_net: whether it sends, and how far it is behind. */
export const net: Check<Facts> = {
  area: 'pg_net',
  async read({ sql, pause }) {
    const [there] = await sql.query<{ queue: boolean; worker: boolean }>(
      `select to_regclass('net.http_request_queue') is not null as queue,
              to_regprocedure('net.check_worker_is_up()') is not null as worker`,
    );
    const homes = await homeStates(sql);
    const needed = homes.some(({ home, current }) => current && home !== 'worker');
    const none = { n: 0, oldest: null };
    if (there?.queue !== true) {
      const answers = { all: 0, failed: 0, refused: 0 };
      return { installed: false, up: null, first: none, second: none, answers, needed };
    }
    const up = there.worker ? await workerUp(sql) : null;
    const first = await queue(sql);
    let second = first;
    for (
      let waited = 0;
      second.n > 0 && second.oldest === first.oldest && waited < MOVES_WITHIN_MS;
      waited += LOOK_MS
    ) {
      await pause(LOOK_MS);
      second = await queue(sql);
    }
    const [answers] = await sql.query<Facts['answers'] & { [column: string]: unknown }>(
      `select count(*)::int as "all", count(*) filter (where coalesce(r.status_code, 0) not between 200 and 299)::int as failed,
              count(*) filter (where r.status_code in (401, 403))::int as refused
         from net._http_response r where r.created > now() - interval '6 hours'`,
    );
    return { installed: true, up, first, second, answers: answers ?? { all: 0, failed: 0, refused: 0 }, needed };
  },
  judge({ installed, up, first, second, answers, needed }) {
    if (!installed) return needed ? [] : [ok('not installed, and no home at work needs it')];
    const findings: Finding[] = [];
    const stuck = first.n > 0 && second.oldest === first.oldest;
    const waiting = `${second.n.toLocaleString('en-US')} ${second.n === 1 ? 'request waits' : 'requests wait'}`;
    if (up === false) {
      findings.push(error('RC_NET_WORKER_DOWN', `The worker of pg_net does not run; ${waiting}.`, RESTART));
    } else if (stuck) {
      findings.push(
        error(
          'RC_NET_QUEUE_STUCK',
          `${waiting} in net.http_request_queue, the oldest with id ${first.oldest ?? ''}, and none was sent meanwhile.`,
          RESTART,
        ),
      );
    }
    if (second.n > LONG) {
      findings.push(
        warn(
          'RC_NET_QUEUE_LONG',
          `${waiting} in net.http_request_queue; it sends at most 200 a second, and a crash of the database forgets them all.`,
          "select url, count(*) from net.http_request_queue group by 1 order by 2 desc;  -- whose they are: not a worker's",
        ),
      );
    }
    if (answers.failed > 0) {
      const refused = answers.refused > 0 ? `, ${answers.refused} of them with 401 or 403` : '';
      findings.push(
        warn(
          'RC_NET_FAILED',
          `${answers.failed} of ${answers.all} requests of the last six hours came to nothing${refused}. pg_net sends none of them again.`,
          'select id, status_code, error_msg, created from net._http_response where coalesce(status_code, 0) not between 200 and 299 order by id desc limit 20;',
        ),
      );
    }
    return findings.length > 0 ? findings : [ok(`${waiting}; ${answers.all} answers in the last six hours`)];
  },
};

async function queue(sql: Queryable): Promise<Queue> {
  const [row] = await sql.query<Queue & { [column: string]: unknown }>(
    'select count(*)::int as n, min(q.id)::text as oldest from net.http_request_queue q',
  );
  return row ?? { n: 0, oldest: null };
}

/** It raises where its worker does not run (pg_net 0.20: sql/pg_net.sql). */
async function workerUp(sql: Queryable): Promise<boolean> {
  try {
    await sql.query('select net.check_worker_is_up()');
    return true;
  } catch (cause) {
    if (sqlState(cause) === 'P0001' || sqlState(cause) === 'XX000') return false;
    throw cause;
  }
}
