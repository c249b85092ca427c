import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type ConnectionState, spareConnection } from '../core/spare-connection.ts';

/**
 * The intake's connections: which to keep, and one request at a time on each. Node hands over every pipelined request as soon
 * as it is parsed; here the next one waits unread, and so does its sender.
 */

/** Limit for the requests of one socket read; a client that sends more at once is disconnected. */
const waitingPerConnectionMax = 128;
/** Over all connections; a waiting request takes about 5 KB of the heap. */
const waitingMax = 2_048;

type Connection = ConnectionState & {
  socket: Socket;
  /** The first is being handled, the others wait. */
  requests: (() => void)[];
  isPaused: boolean;
};

export type Connections = {
  add(socket: Socket): void;
  /** Calls `begin` when it is the request's turn; false if the connection was closed instead. */
  take(request: IncomingMessage, response: ServerResponse, begin: () => void): boolean;
  /** The connection has sent an authorised request. */
  trust(socket: Socket): void;
};

export const createConnections = (connectionsMax: number): Connections => {
  const connections = new Map<Socket, Connection>();
  let uses = 0;
  let waiting = 0;

  const drop = (socket: Socket) => {
    waiting -= connections.get(socket)?.inHand ?? 0;
    connections.delete(socket);
    socket.destroy();
  };

  const finish = (connection: Connection) => {
    if (!connections.has(connection.socket)) return;
    connection.requests.shift();
    waiting--;
    const [next] = connection.requests;
    if (next !== undefined) return next();
    if (connection.isPaused) connection.socket.resume();
    connection.isPaused = false;
  };

  return {
    add: (socket) => {
      const requests: Connection['requests'] = [];
      connections.set(socket, {
        socket,
        address: socket.remoteAddress ?? '',
        isTrusted: false,
        get inHand() {
          return requests.length;
        },
        lastUse: uses++,
        requests,
        isPaused: false,
      });
      socket.once('close', () => connections.has(socket) && drop(socket));
      const spare = spareConnection([...connections.values()], connectionsMax);
      if (spare !== undefined) drop(spare.socket);
    },
    take: ({ socket }, response, begin) => {
      const connection = connections.get(socket);
      if (connection === undefined) return false;
      const { requests } = connection;
      if (requests.length >= waitingPerConnectionMax || waiting >= waitingMax) {
        drop(socket);
        return false;
      }
      waiting++;
      connection.lastUse = uses++;
      requests.push(begin);
      response.once('close', () => finish(connection));
      if (requests.length === 1) begin();
      else {
        connection.isPaused = true;
        socket.pause();
      }
      return true;
    },
    trust: (socket) => {
      const connection = connections.get(socket);
      if (connection !== undefined) connection.isTrusted = true;
    },
  };
};
