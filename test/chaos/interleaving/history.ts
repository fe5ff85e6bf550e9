import type pg from 'pg';
import { AUDITED, CONTACTS, STANDING } from './oracle-sql.ts';

/** How things stood after a commit, as the oracle saw it. */
export interface State {
  /** User id to `ok`, `waiting` or `out`. */
  readonly users: Readonly<Record<string, 'ok' | 'waiting' | 'out'>>;
  /** Key to address, of all who were contacts. */
  readonly living: Readonly<Record<string, string>>;
  /** Customer to the key of the contact it led to. */
  readonly customers: Readonly<Record<string, string | null>>;
  /** Address to the number of users who were contacts under it. */
  readonly owners: Readonly<Record<string, number>>;
}

/** A committed row event. */
export interface AuditedEvent {
  readonly id: number;
  readonly turn: number;
  readonly name: string;
  readonly row: string;
  readonly customer: string | null;
  readonly key: string | null;
  readonly wanted: boolean;
  readonly certain: boolean;
  /** JSON text. */
  readonly properties: string;
  /** Index of the state in which it was first seen. */
  readonly commit: number;
}

/** A contact there must be. */
export interface WantedContact {
  readonly key: string;
  readonly address: string;
  /** JSON text. */
  readonly fields: string;
}

/** The committed past of a run. */
export interface History {
  readonly states: readonly State[];
  readonly events: readonly AuditedEvent[];
  readonly contacts: readonly WantedContact[];
}

/** Looks at the database after each commit. */
export class Historian {
  readonly #client: pg.Client;
  readonly #states: State[] = [];
  readonly #events = new Map<number, AuditedEvent>();

  constructor(client: pg.Client) {
    this.#client = client;
  }

  /** Something was committed. */
  async look(): Promise<void> {
    const commit = this.#states.length;
    const { rows: states } = await this.#client.query<State>(STANDING);
    const { rows: events } = await this.#client.query<Omit<AuditedEvent, 'commit'>>(AUDITED);
    this.#states.push(...states);
    for (const event of events) if (!this.#events.has(event.id)) this.#events.set(event.id, { ...event, commit });
  }

  /** How things stand now alone. */
  async wanted(): Promise<History> {
    const { rows: states } = await this.#client.query<State>(STANDING);
    const { rows: contacts } = await this.#client.query<WantedContact>(CONTACTS);
    return { states, events: [], contacts };
  }

  async whole(): Promise<History> {
    await this.look();
    const { contacts } = await this.wanted();
    const events = [...this.#events.values()].toSorted((a, b) => a.id - b.id);
    return { states: this.#states, events, contacts };
  }
}
