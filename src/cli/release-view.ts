import type { BrakeState } from '../sql/store/brakes.ts';
import { columns, count } from './layout.ts';
import { countOfKind, heldText, percent } from './status-brakes.ts';

const HEAD = ['destination', 'brake', 'held', 'last hour', 'stops within an hour'];

/** The brakes as a table, and what lets out what they hold. */
export function renderBrakes(brakes: readonly BrakeState[]): string {
  if (brakes.length === 0) return 'No destinations: nothing is sent.';
  const lines = [columns([HEAD, ...brakes.map(row)], 'llrrl')];
  const named = new Set(brakes.map((b) => b.destination)).size > 1;
  for (const { destination, kind, held, stopped_at: since, allowance } of brakes) {
    if (allowance > 0)
      lines.push('', `${destination}: ${countOfKind(allowance, kind)} may pass uncounted within the hour.`);
    if (held === 0) continue;
    const command = `rollcall release --${kind} ${held}${named ? ` --destination ${destination}` : ''}`;
    lines.push('', `${destination}: ${heldText(held, kind, since)}: \`${command}\``);
  }
  return lines.join('\n');
}

function row({ destination, kind, held, passed, share, least }: BrakeState): string[] {
  const stops = share === null ? 'off' : `over ${percent(share)}, and ${count(least, 'contact')} or more`;
  return [destination, kind, held.toLocaleString('en-US'), passed.toLocaleString('en-US'), stops];
}
