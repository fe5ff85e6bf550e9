import { WebSocket } from 'undici';
import { error, ok } from '../doctor/finding.ts';
import { hostOf } from '../../sources/api/project.ts';
import { type Project, type ProjectCheck } from './project.ts';

/** What became of joining a channel: undefined when it was let in. */
type Refused = string | undefined;

const PATIENCE_MS = 10_000;
const TOPIC = 'realtime:rollcall-test';

/**
 * That Realtime lets the key in: a channel of our own is joined and left again. (guides/realtime/protocol.mdx; the server takes the
 * key from the header `x-api-key`, else from the URL: realtime:lib/realtime_web/channels/user_socket.ex.)
 */
export const realtime: ProjectCheck<Refused> = {
  area: 'realtime',
  async read(project) {
    const refused = await join(project, false);
    // A key in a URL stands in logs, so that comes second; a gateway before the server may know no other way.
    return refused === undefined ? undefined : await join(project, true);
  },
  judge(refused, { url }) {
    if (refused === undefined) return ok('Realtime connection established');
    return error(
      'RC_PROJECT_REALTIME',
      `Realtime: ${hostOf(url)} lets nobody in (${refused}).`,
      'Is it switched on (dashboard, Realtime, Settings), and is the key one of this project? Rollcall works without it.',
    );
  },
};

function join({ url, key }: Project, inUrl: boolean): Promise<Refused> {
  const base = `${url.replace(/^http/, 'ws')}/realtime/v1/websocket?vsn=1.0.0`;
  const socket = new WebSocket(
    inUrl ? `${base}&apikey=${encodeURIComponent(key)}` : base,
    inUrl ? {} : { headers: { apikey: key, 'x-api-key': key } },
  );
  return new Promise((resolve) => {
    const end = (refused: Refused): void => {
      clearTimeout(timer);
      socket.close();
      resolve(refused);
    };
    const timer = setTimeout(() => end('no answer'), PATIENCE_MS);
    socket.addEventListener('open', () => {
      const payload = { config: { broadcast: { ack: false, self: false }, presence: { key: '' }, private: false } };
      socket.send(JSON.stringify({ topic: TOPIC, event: 'phx_join', payload, ref: '1', join_ref: '1' }));
    });
    socket.addEventListener('message', ({ data }) => {
      const status = replyTo('1', String(data));
      if (status !== undefined) end(status === 'ok' ? undefined : `the channel answers ${status}`);
    });
    socket.addEventListener('error', () => end('no WebSocket'));
    socket.addEventListener('close', () => end('closed'));
  });
}

/** The status of the reply to a message of ours; undefined for every other message. */
function replyTo(ref: string, text: string): string | undefined {
  try {
    const message = JSON.parse(text) as { event?: unknown; ref?: unknown; payload?: { status?: unknown } };
    if (message.event !== 'phx_reply' || message.ref !== ref) return undefined;
    return String(message.payload?.status);
  } catch {
    return undefined;
  }
}
