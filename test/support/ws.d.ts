/** What the tests use of `ws`, which has no types of its own. */
declare module 'ws' {
  import type { Server } from 'node:http';

  export class WebSocket {
    send(text: string): void;
    terminate(): void;
    on(event: 'message', listener: (data: Buffer) => void): this;
  }

  export class WebSocketServer {
    constructor(options: { server: Server; path: string });
    readonly clients: Set<WebSocket>;
    on(event: 'connection', listener: (socket: WebSocket, request: { url?: string }) => void): this;
    close(): void;
  }
}
