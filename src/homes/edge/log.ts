import type { Config } from '../../config/types.ts';
import type { Logger } from '../../engine/ports.ts';

const LEVELS = ['error', 'warn', 'info', 'debug'] as const;

/** JSON lines on the console, which is where the platform takes its log from. The fields hold nobody's data: see `Logger`. */
export function consoleLog(level: Config['log']['level']): Logger {
  const most = LEVELS.indexOf(level);
  const line =
    (of: (typeof LEVELS)[number]) =>
    (fields: object, message: string): void => {
      if (LEVELS.indexOf(of) <= most)
        console[of](JSON.stringify({ level: of, name: 'rollcall', ...fields, msg: message }));
    };
  return { error: line('error'), warn: line('warn'), info: line('info'), debug: line('debug') };
}
