import { styleText } from 'node:util';
import type { Env } from '../config/interpolate.ts';
import type { TextStream } from './io.ts';

export type Style = 'red' | 'green' | 'yellow' | 'bold' | 'dim';
export type Paint = (style: Style, text: string) => string;

/** Colours for one stream: only on a terminal, and not with NO_COLOR (no-color.org: any text but an empty one). */
export function painter(stream: TextStream, env: Env): Paint {
  const off = stream.isTTY !== true || (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
  return off ? plain : (style, text) => styleText(style, text, { validateStream: false });
}

export function plain(_style: Style, text: string): string {
  return text;
}
