import { RollcallError } from '../core/errors.ts';

/** What a command that was told to stop ends with. */
export function stopped(): RollcallError {
  return new RollcallError('RC_STOPPED', 'Stopped before the end.', {
    hint: 'Run the command again: it starts anew, and what was put right stays so.',
  });
}
