import type { Logger, StoppedBrake } from './ports.ts';

/** Speaks of each brake once when it holds something, and once when it does no longer. The database decides; this tells. */
export interface BrakeWatch {
  /** @param brakes all that hold something now */
  stopped(brakes: readonly StoppedBrake[]): void;
}

export function createBrakeWatch(log: Logger): BrakeWatch {
  let before: readonly StoppedBrake[] = [];
  const isIn = (brakes: readonly StoppedBrake[], brake: StoppedBrake): boolean =>
    brakes.some((b) => b.destination === brake.destination && b.kind === brake.kind);
  return {
    stopped(brakes) {
      for (const brake of brakes) {
        if (isIn(before, brake)) continue;
        log.error(
          { destination: brake.destination, brake: brake.kind, held: brake.held },
          'too many within an hour: they are held until somebody says `rollcall release`; `rollcall status` shows them',
        );
      }
      for (const brake of before) {
        if (!isIn(brakes, brake))
          log.info({ destination: brake.destination, brake: brake.kind }, 'a brake holds nothing any more');
      }
      before = brakes;
    },
  };
}
