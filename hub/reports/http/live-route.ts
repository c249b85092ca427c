import { z } from 'zod';
import type { LiveFeed } from '../live-feed.ts';
import { type Api, prefix, problemResponses } from './api.ts';
import { ApiProblem } from './problem.ts';

/** Server-sent events. One stream per page: browsers open six connections to a host and no more. */
const pingMs = 15_000;
const streamsMax = 200;

export const liveRoute = (app: Api, feed: LiveFeed): void => {
  app.get(
    `${prefix}/live`,
    {
      exposeHeadRoute: false,
      schema: {
        summary:
          'What changes, as server-sent events `pulse`, at most two a second; the data is the schema Pulse',
        response: {
          200: { description: 'Events', content: { 'text/event-stream': { schema: z.string() } } },
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
        'cache-control': 'no-store',
        // A proxy that collects answers would keep the events back.
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
