import { z } from 'zod';
import type { LiveFeed } from '../live-feed.ts';
import { type Api, prefix, problemResponses } from './api.ts';
import { ApiProblem } from './problem.ts';

/** Server-sent events. One stream per page: browsers open at most six connections to a host. */
const pingMs = 15_000;
const streamsMax = 200;

export const liveRoute = (app: Api, feed: LiveFeed): void => {
  app.get(
    `${prefix}/live`,
    {
      exposeHeadRoute: false,
      schema: {
        summary:
          'Live changes as server-sent events named `pulse`, at most two a second; their data has the schema Pulse',
        response: {
          200: {
            description: 'Server-sent events',
            content: { 'text/event-stream': { schema: z.string() } },
          },
          ...problemResponses,
        },
      },
    },
    (request, reply) => {
      if (feed.clients() >= streamsMax)
        throw new ApiProblem('too-many-streams', `${streamsMax} streams are open`);
      const seen = request.headers['last-event-id'];
      reply.hijack();
      const { raw } = reply;
      raw.writeHead(200, {
        ...(reply.getHeaders() as Record<string, string>),
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store, no-transform',
        // A buffering proxy would hold the events back.
        'x-accel-buffering': 'no',
      });
      raw.write(': welcome\n\n');
      const leave = feed.join({
        seen: typeof seen === 'string' ? seen : undefined,
        isBusy: () => raw.writableNeedDrain,
        send: (text) => raw.write(text),
      });
      const ping = setInterval(() => {
        if (!raw.writableNeedDrain) raw.write(': ping\n\n');
      }, pingMs);
      raw.on('error', () => {});
      raw.on('close', () => {
        clearInterval(ping);
        leave();
      });
    },
  );
};
