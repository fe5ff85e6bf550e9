import type { Config } from '../config/types.ts';
import { dropCapture } from './compile/capture-trigger.ts';
import { readersScript } from './compile/consent.ts';
import { generated } from './generated.ts';
import { adjust } from './functions/adjust.ts';
import { adopt } from './functions/adopt.ts';
import { alerts } from './functions/alerts.ts';
import { answers } from './functions/answers.ts';
import { backfill } from './functions/backfill.ts';
import { brakes as brakeFunctions } from './functions/brakes.ts';
import { canEmail } from './functions/can-email.ts';
import { capture } from './functions/capture.ts';
import { claim } from './functions/claim.ts';
import { consent } from './functions/consent.ts';
import { destinationState } from './functions/destination-state.ts';
import { edge } from './functions/edge.ts';
import { eventDelivery } from './functions/event-delivery.ts';
import { eventFollowing } from './functions/event-following.ts';
import { erase } from './functions/erase.ts';
import { erasureFinish } from './functions/erasure-finish.ts';
import { erasureKey } from './functions/erasure-key.ts';
import { erasureReads } from './functions/erasure-reads.ts';
import { events } from './functions/events.ts';
import { exportPerson } from './functions/export-person.ts';
import { failures } from './functions/failures.ts';
import { fold } from './functions/fold.ts';
import { foldCareful } from './functions/fold-careful.ts';
import { foldDestination } from './functions/fold-destination.ts';
import { foresee } from './functions/foresee.ts';
import { forget } from './functions/forget.ts';
import { gauges } from './functions/gauges.ts';
import { heedConsent } from './functions/heed-consent.ts';
import { homes } from './functions/homes.ts';
import { install } from './functions/install.ts';
import { jobs } from './functions/jobs.ts';
import { kept } from './functions/kept.ts';
import { kin } from './functions/kin.ts';
import { mapping } from './functions/mapping.ts';
import { pulls } from './functions/pulls.ts';
import { release } from './functions/release.ts';
import { recover } from './functions/recover.ts';
import { remoteFacts } from './functions/remote-facts.ts';
import { remote } from './functions/remote.ts';
import { repair } from './functions/repair.ts';
import { resend } from './functions/resend.ts';
import { rotate } from './functions/rotate.ts';
import { lists } from './functions/lists.ts';
import { settlePlain } from './functions/settle-plain.ts';
import { settle } from './functions/settle.ts';
import { sources as sourceState } from './functions/sources.ts';
import { status } from './functions/status.ts';
import { sweep } from './functions/sweep.ts';
import { sweepReport } from './functions/sweep-report.ts';
import { tombstones } from './functions/tombstones.ts';
import { triggers } from './functions/triggers.ts';
import { wal as walFunctions } from './functions/wal.ts';
import { walTaking } from './functions/wal-taking.ts';
import { wanted } from './functions/wanted.ts';
import { why } from './functions/why.ts';
import { writeBack } from './functions/write-back.ts';
import { state } from './migrations/0001-state.ts';
import { log } from './migrations/0002-log.ts';
import { jobs as jobTables } from './migrations/0003-jobs.ts';
import { brakes } from './migrations/0004-brakes.ts';
import { audit } from './migrations/0005-audit.ts';
import { sweepState } from './migrations/0006-sweep.ts';
import { failureState } from './migrations/0007-failures.ts';
import { alertState } from './migrations/0008-alerts.ts';
import { claimed } from './migrations/0009-claimed.ts';
import { consentLedger } from './migrations/0010-consent.ts';
import { consentSync } from './migrations/0011-consent-sync.ts';
import { erasureState } from './migrations/0012-erasure.ts';
import { leftThere } from './migrations/0013-left-there.ts';
import { homes as homeState } from './migrations/0014-homes.ts';
import { pump as pumpState } from './migrations/0015-pump.ts';
import { pumpScript } from './pump/script.ts';
import { TICK_JOB } from './edge-script.ts';
import { unscheduled } from './platform-script.ts';
import { PUMP_JOB, UPKEEP_JOB } from './pump/pump.ts';
import { takenOver } from './migrations/0016-taken-over.ts';
import { segments } from './migrations/0017-segments.ts';
import { was } from './migrations/0018-was.ts';
import { wal } from './migrations/0019-wal.ts';
import { since } from './migrations/0020-since.ts';
import { dollarQuote, quoteLiteral } from './quote.ts';
import type { Sources } from './source.ts';

/** Numbered, never changed once released; each runs once. */
export const MIGRATIONS: readonly { readonly version: number; readonly name: string; readonly sql: string }[] = [
  { version: 1, name: 'state', sql: state },
  { version: 2, name: 'log', sql: log },
  { version: 3, name: 'jobs', sql: jobTables },
  { version: 4, name: 'brakes', sql: brakes },
  { version: 5, name: 'audit', sql: audit },
  { version: 6, name: 'sweep', sql: sweepState },
  { version: 7, name: 'failures', sql: failureState },
  { version: 8, name: 'alerts', sql: alertState },
  { version: 9, name: 'claimed', sql: claimed },
  { version: 10, name: 'consent', sql: consentLedger },
  { version: 11, name: 'consent sync', sql: consentSync },
  { version: 12, name: 'erasure', sql: erasureState },
  { version: 13, name: 'left there', sql: leftThere },
  { version: 14, name: 'homes', sql: homeState },
  { version: 15, name: 'pump', sql: pumpState },
  { version: 16, name: 'taken over', sql: takenOver },
  { version: 17, name: 'segments', sql: segments },
  { version: 18, name: 'was', sql: was },
  { version: 19, name: 'wal', sql: wal },
  { version: 20, name: 'since', sql: since },
];

/** To wait for a lock on auth.users would make every writer behind us wait too, so an apply gives up first. */
const LOCK_TIMEOUT = `set local lock_timeout = '2s';`;

/** Two processes that apply at once take turns. */
export const APPLY_LOCK = 'select pg_advisory_xact_lock(721740022, 0);';

/**
 * Everything `apply` runs, as one idempotent script for one transaction: migrations not yet applied, functions, the generated
 * mapping, the triggers, the destinations. The printed migration file is this same text.
 */
export function installScript(config: Config, sources: Sources): string {
  return `-- Rollcall: generated by \`rollcall apply\`. Safe to run again.\n${commonScript()}\n${ownScript(config, sources)}`;
}

/** The part of it that is the same whatever the config: migrations not yet applied, and functions. */
export function commonScript(): string {
  return [
    `set local search_path = '';`,
    APPLY_LOCK,
    LOCK_TIMEOUT,
    `create schema if not exists rollcall;`,
    `create table if not exists rollcall.migrations (version int primary key, name text not null, applied_at timestamptz not null default now());`,
    ...MIGRATIONS.map(guarded),
    lists,
    capture,
    brakeFunctions,
    release,
    resend,
    install,
    mapping,
    sourceState,
    erasureKey,
    consent,
    pulls,
    heedConsent,
    canEmail,
    answers,
    writeBack,
    wanted,
    adjust,
    kin,
    events,
    tombstones,
    eventDelivery,
    eventFollowing,
    foldCareful,
    foldDestination,
    fold,
    forget,
    rotate,
    claim,
    settlePlain,
    settle,
    jobs,
    destinationState,
    failures,
    triggers,
    walFunctions,
    walTaking,
    sweep,
    backfill,
    foresee,
    sweepReport,
    remote,
    remoteFacts,
    repair,
    recover,
    adopt,
    homes,
    edge,
    status,
    gauges,
    alerts,
    exportPerson,
    why,
    erase,
    erasureReads,
    erasureFinish,
    kept,
    pumpScript,
  ].join('\n');
}

/** The rest of it, for the same transaction or one that begins as it does: what the config makes, and who may do what. */
export function ownScript(config: Config, sources: Sources): string {
  return [
    generated(config, sources),
    `revoke all on schema rollcall from public;`,
    `revoke all on all tables in schema rollcall from public;`,
    `revoke all on all sequences in schema rollcall from public;`,
    `revoke all on all routines in schema rollcall from public;`,
    `revoke all on type rollcall.mapped, rollcall.wanted, rollcall.adjusted, rollcall.fingerprint, rollcall.result, rollcall.change, rollcall.mapped_event, rollcall.read_event, rollcall.captured_event, rollcall.read_turn,
  rollcall.sweep_keys from public;`,
    ...API_ROLES.map(revokeAll),
    ...readersScript(config),
  ].join('\n');
}

/** Supabase's roles for whoever comes through the API. A project's default privileges may give them all that is new. */
const API_ROLES = ['anon', 'authenticated', 'service_role'];

function revokeAll(role: string): string {
  const revokes = ['schema', 'all tables in schema', 'all sequences in schema', 'all routines in schema'].map(
    (what) => `revoke all on ${what} rollcall from ${role};`,
  );
  return `do ${dollarQuote(`begin
  if exists (select from pg_catalog.pg_roles where rolname = '${role}') then ${revokes.join(' ')} end if;
end`)};`;
}

/** First of all, as it fails while a worker reads. A slot that outlived the install would keep WAL until the disk is full. */
const WITHOUT_WAL = `do ${dollarQuote(`begin
  perform pg_catalog.pg_drop_replication_slot(s.slot_name) from pg_catalog.pg_replication_slots s join pg_catalog.pg_database d on d.datname = s.database
    where d.datname = pg_catalog.current_database() and s.slot_name = 'rollcall_' || d.oid;
  if exists (select from pg_catalog.pg_publication p where p.pubname = 'rollcall') then drop publication rollcall; end if;
end`)};`;

/**
 * Removes every trace but secrets in Vault, which may be wanted again: that of erasures above all. Works for a role that does not own
 * the tables: dropping a function drops its triggers.
 */
export const UNINSTALL_SCRIPT: string = [
  APPLY_LOCK,
  LOCK_TIMEOUT,
  unscheduled([TICK_JOB, PUMP_JOB, UPKEEP_JOB]),
  WITHOUT_WAL,
  dropCapture([]),
  `drop schema if exists rollcall cascade;`,
].join('\n');

function guarded(migration: (typeof MIGRATIONS)[number]): string {
  const { version, name, sql } = migration;
  return `do ${dollarQuote(`begin
  if not exists (select from rollcall.migrations where version = ${version}) then
    execute ${dollarQuote(sql)};
    insert into rollcall.migrations (version, name) values (${version}, ${quoteLiteral(name)});
  end if;
end`)};`;
}
