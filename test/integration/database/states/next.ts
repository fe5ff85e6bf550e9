import type { DeliveryCell, DeliveryState, Doubt, Impossible } from '../../../../src/core/states/delivery.ts';

/** What a cell of the table says for a contact that is in doubt, or is not. */
export function nextDelivery(
  cell: DeliveryCell,
  state: DeliveryState,
  doubt: Doubt,
): { readonly state: DeliveryState; readonly doubt: Doubt } | { readonly no: Impossible } {
  if (typeof cell === 'string') {
    const mark = /[?!]$/.exec(cell)?.[0];
    const name = cell.replace(/[?!]$/, '') as DeliveryState | '=';
    const to = name === '=' ? state : name;
    return { state: to, doubt: mark === '?' ? 'doubtful' : mark === '!' || to === 'idle' ? 'sure' : doubt };
  }
  if ('no' in cell) return cell;
  return nextDelivery(cell[doubt === 'sure' ? 0 : 1], state, doubt);
}
