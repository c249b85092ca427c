import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createProgressDisplay } from './progress-display.ts';
import { createScreen } from './screen.ts';

const open = (isTTY: boolean) => {
  const out = Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY, columns: 80, rows: 24 });
  const screen = createScreen(out as unknown as NodeJS.WriteStream);
  return { screen, display: createProgressDisplay(screen), text: () => (out.read() as string | null) ?? '' };
};

it('a terminal shows one line that is redrawn at a limited rate and ends with the latest state', async () => {
  const { display, text } = open(true);
  display.show('10 %');
  display.show('11 %');
  await sleep(120);
  display.show('20 %');
  display.show('21 %');
  display.end();
  const again = '\x1b[1A\x1b[J';
  expect(text()).toBe(`10 %\n${again}20 %\n${again}21 %\n`);
});

it('a file gets whole lines at a low rate, and always the latest state', () => {
  const { screen, display, text } = open(false);
  for (let percent = 0; percent <= 100; percent++) display.show(`${percent} %`);
  screen.say('the broker is back');
  display.end();
  expect(text()).toBe('0 %\nthe broker is back\n100 %\n');
});

it('a display that showed nothing leaves nothing behind', () => {
  const { display, text } = open(true);
  display.end();
  expect(text()).toBe('');
});
