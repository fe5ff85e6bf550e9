import { renderJson, type Json, type JsonObject } from '../core/json.ts';
import type { SandboxCall } from './call-log.ts';
import type { SandboxDestination } from './served.ts';
import { asJson } from './shown.ts';
import type { ShownContact, ShownEvent } from './stand-in.ts';

/** Most of each kind that a search gives. */
const MOST = 200;

export interface Search {
  /** Looked for in everything that is shown, whatever its case; empty for all. */
  readonly text: string;
  /** The id of a destination; all when undefined. */
  readonly destination?: string | undefined;
}

export interface Found {
  readonly contacts: readonly Json[];
  readonly events: readonly Json[];
  readonly calls: readonly SandboxCall[];
}

/** Looks through all there is. @returns of each kind the newest 200, oldest first */
export function search(
  { text, destination }: Search,
  destinations: readonly SandboxDestination[],
  calls: readonly SandboxCall[],
): Found {
  const wanted = text.trim().toLowerCase();
  const has = (...parts: readonly string[]): boolean =>
    wanted === '' || parts.some((part) => part.toLowerCase().includes(wanted));
  const asked = destinations.filter(({ id }) => destination === undefined || id === destination);
  const contacts: [number, Json][] = [];
  const events: [number, Json][] = [];
  for (const { id, standIn } of asked) {
    for (const contact of lastOf(standIn.contacts(), (one) => has(...contactTexts(one))))
      contacts.push([contact.createdAt, named(id, contact)]);
    for (const event of lastOf(standIn.events(), (one) => has(...eventTexts(one))))
      events.push([event.at, named(id, event)]);
  }
  return {
    contacts: newest(contacts),
    events: newest(events),
    calls: [...lastOf(calls, (call) => isOf(call, destination) && has(...callTexts(call)))],
  };
}

function contactTexts({ id, address, status, attributes, lists }: ShownContact): readonly string[] {
  return [address, id, status, renderJson(attributes), ...lists];
}

function eventTexts({ address, name, properties }: ShownEvent): readonly string[] {
  return [address, name, renderJson(properties)];
}

function callTexts({ method, path, status, body, answer, fault }: SandboxCall): readonly string[] {
  return [`${method} ${path}`, decoded(path), String(status), body, answer, fault ?? ''];
}

/** A path as people read it: an address in it with its `@`. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function isOf(call: SandboxCall, destination: string | undefined): boolean {
  return destination === undefined || call.destination === destination;
}

/** The last that fit, without holding the others. */
function lastOf<One>(all: Iterable<One>, fits: (one: One) => boolean): readonly One[] {
  let kept: One[] = [];
  for (const one of all) {
    if (!fits(one)) continue;
    kept.push(one);
    if (kept.length >= MOST * 2) kept = kept.slice(-MOST);
  }
  return kept.slice(-MOST);
}

function newest(found: readonly (readonly [number, Json])[]): readonly Json[] {
  return found
    .toSorted(([a], [b]) => a - b)
    .slice(-MOST)
    .map(([, one]) => one);
}

function named(destination: string, shown: ShownContact | ShownEvent): JsonObject {
  return { destination, ...(asJson(shown) as JsonObject) };
}
