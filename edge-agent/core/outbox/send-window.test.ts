import { describe, expect, test } from 'vitest';
import { framesAllowed, newWindow, onLinkUp, onReceipt, onTimeout } from './send-window.ts';

const half = () => 0.5;
const answered = (window: ReturnType<typeof newWindow>, receipts: number) => {
  for (let i = 0; i < receipts; i++) onReceipt(window);
};

describe('the window of frames in flight', () => {
  test('doubles with every window of receipts until it is full', () => {
    const window = newWindow(40, 250, 15_000);
    expect(framesAllowed(window, 0)).toBe(4);
    answered(window, 4);
    expect(framesAllowed(window, 0)).toBe(8);
    answered(window, 100);
    expect(framesAllowed(window, 0)).toBe(40);
  });

  test('halves at a timeout and then grows by one per window of receipts', () => {
    const window = newWindow(40, 250, 15_000);
    answered(window, 100);
    onTimeout(window, 10, 20, half);
    expect(framesAllowed(window, 20)).toBe(20);
    answered(window, 20);
    expect(framesAllowed(window, 20)).toBeLessThanOrEqual(21);
    answered(window, 10_000);
    expect(framesAllowed(window, 20)).toBe(40);
  });

  test('counts the timeouts of one window once, and pauses when nothing is answered', () => {
    const window = newWindow(40, 250, 15_000);
    answered(window, 100);
    for (let i = 0; i < 10; i++) onTimeout(window, 10, 20, half);
    expect(framesAllowed(window, 20)).toBe(20);
    onTimeout(window, 30, 40, half);
    expect(framesAllowed(window, 40)).toBe(0);
  });

  test('shrinks to its start when the link comes up', () => {
    const window = newWindow(40, 250, 15_000);
    answered(window, 100);
    onLinkUp(window);
    expect(framesAllowed(window, 0)).toBe(4);
  });
});
