import { createConnection, createServer, type AddressInfo, type Socket } from 'node:net';
import { onCleanup } from './database.ts';

/** A TCP forwarder on a fixed port: what a stable host name or a network is to whoever connects. */
export interface Gate {
  readonly port: number;
  /** Connections end, and new ones are refused. */
  shut(): Promise<void>;
  open(): Promise<void>;
  /** New connections lead to another port from now on. */
  aim(targetPort: number): void;
  /** True: nothing passes any more, and nobody is told; what is sent meanwhile is lost. */
  swallow(all: boolean): void;
}

export async function createGate(targetPort: number): Promise<Gate> {
  const sockets = new Set<Socket>();
  let target = targetPort;
  let swallowing = false;
  const server = createServer((near) => {
    const far = createConnection(target, '127.0.0.1');
    // A packet is lost for good: whoever was connected meanwhile never hears of the other side again.
    let cut = swallowing;
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
      from.on('data', (bytes) => {
        cut ||= swallowing;
        if (!cut) to.write(bytes);
      });
    }
  });
  const listen = (port: number): Promise<void> =>
    new Promise((resolve) => {
      server.listen(port, '127.0.0.1', resolve);
    });
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const shut = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = new Promise((resolve) => {
      server.close(resolve);
    });
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  onCleanup(shut);
  return {
    port,
    shut,
    open: () => listen(port),
    aim(to) {
      target = to;
    },
    swallow(all) {
      swallowing = all;
    },
  };
}
