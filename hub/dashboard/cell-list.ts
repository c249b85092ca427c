/// <reference lib="dom" />
import { element, setAttribute, setText } from './dom.ts';
import { type Grid, walk } from './model/grid-walk.ts';

/**
 * Thousands of cells on one scrolling canvas; for keyboard and screen reader a list box whose active option is described
 * in text. Only cells in view are drawn, whatever their number.
 */
export type Box = { x: number; y: number; width: number; height: number };

/** Input of a drawing; lengths in CSS pixels, `top` is the scroll offset. */
export type View = {
  width: number;
  height: number;
  top: number;
  active: number | undefined;
  hover: number | undefined;
};

export type Cells = {
  label: string;
  /** Identity of a cell, stable while the order changes. */
  keyAt(index: number): string | undefined;
  indexOf(key: string): number | undefined;
  grid(): Grid;
  contentHeight(width: number): number;
  /** Maximum height of the view; shorter content makes a shorter view. */
  heightMax: number;
  /** Height of the head, which does not scroll. */
  headHeight: number;
  /** Position of a cell in the unscrolled content. */
  boxOf(index: number): Box;
  /** The cell at a position of the unscrolled content. */
  cellAt(x: number, y: number): number | undefined;
  /** Must cover a pixel more than the view: a fractional pixel ratio rounds the canvas up. */
  draw(pen: CanvasRenderingContext2D, view: View): void;
  /** The cell as text. */
  describe(index: number): string;
  /** The cell under the pointer, else the one active by keyboard; undefined when there is none. */
  onInspect?(index: number | undefined): void;
  onOpen?(index: number): void;
};

export type CellList = {
  root: HTMLElement;
  /** Draws on the next frame, once however often it is called. */
  redraw(): void;
  focus(): void;
};

let lists = 0;

export const createCellList = (cells: Cells): CellList => {
  const optionId = `cell-option-${++lists}`;
  const canvas = element('canvas', { 'aria-hidden': 'true' });
  const option = element('div', { id: optionId, role: 'option', class: 'unseen', 'aria-selected': 'false' });
  const sizer = element('div', { class: 'cell-sizer' }, canvas);
  const root = element('div', { class: 'cell-list', role: 'listbox', tabindex: 0 }, option, sizer);
  root.setAttribute('aria-label', cells.label);
  root.setAttribute('aria-activedescendant', optionId);
  const pen = canvas.getContext('2d', { alpha: false }) as CanvasRenderingContext2D;

  let activeKey: string | undefined;
  let pointer: { x: number; y: number } | undefined;
  let asked = false;
  let width = 0;
  let height = 0;
  let contentHeight = 0;

  const active = (): number | undefined => (activeKey === undefined ? undefined : cells.indexOf(activeKey));

  const fit = (): void => {
    const ratio = window.devicePixelRatio;
    const wide = root.clientWidth;
    const content = Math.max(1, cells.contentHeight(wide));
    const tall = Math.min(cells.heightMax, content);
    if (content !== contentHeight) sizer.style.height = `${content}px`;
    if (tall !== height) root.style.height = `${tall}px`;
    if (wide !== width || tall !== height || canvas.width !== Math.round(wide * ratio)) {
      canvas.width = Math.round(wide * ratio);
      canvas.height = Math.round(tall * ratio);
      canvas.style.width = `${wide}px`;
      canvas.style.height = `${tall}px`;
    }
    [width, height, contentHeight] = [wide, tall, content];
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  };

  const cellUnder = (at: { x: number; y: number } | undefined): number | undefined =>
    at === undefined || at.y < cells.headHeight ? undefined : cells.cellAt(at.x, at.y + root.scrollTop);

  /** Describes the active cell; the first one before any was chosen. */
  const describeActive = (): void => {
    const { many } = cells.grid();
    const index = active() ?? (many > 0 ? 0 : undefined);
    setText(option, index === undefined ? 'nothing to show' : cells.describe(index));
    setAttribute(option, 'aria-selected', String(activeKey !== undefined));
    if (index === undefined) return;
    setAttribute(option, 'aria-setsize', String(many));
    setAttribute(option, 'aria-posinset', String(index + 1));
  };

  const draw = (): void => {
    asked = false;
    fit();
    if (width === 0) return;
    const hover = cellUnder(pointer);
    const focused = root.matches(':focus-visible');
    const view = { width, height, top: root.scrollTop, active: focused ? active() : undefined, hover };
    cells.draw(pen, view);
    cells.onInspect?.(hover ?? view.active);
    describeActive();
  };
  const redraw = (): void => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(draw);
  };

  const show = (index: number): void => {
    const { y, height: tall } = cells.boxOf(index);
    if (y - cells.headHeight < root.scrollTop) root.scrollTop = y - cells.headHeight;
    else if (y + tall > root.scrollTop + height) root.scrollTop = y + tall - height;
  };
  const setActive = (index: number): void => {
    activeKey = cells.keyAt(index);
    show(index);
    describeActive();
    redraw();
  };

  const placeOf = (event: MouseEvent): { x: number; y: number } => {
    const { left, top } = root.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  };
  root.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const from = active();
    if ((event.key === 'Enter' || event.key === ' ') && from !== undefined) {
      event.preventDefault();
      cells.onOpen?.(from);
      return;
    }
    const to = from === undefined ? 0 : walk(event.key, from, cells.grid());
    if (to === undefined || !/^(Arrow|Page|Home|End)/.test(event.key)) return;
    event.preventDefault();
    pointer = undefined;
    setActive(to);
  });
  root.addEventListener('focus', () => {
    if (active() === undefined && cells.grid().many > 0) activeKey = cells.keyAt(0);
    describeActive();
    redraw();
  });
  root.addEventListener('blur', redraw);
  root.addEventListener('scroll', redraw, { passive: true });
  root.addEventListener('pointermove', (event) => {
    // Touch does not hover.
    if (event.pointerType === 'touch') return;
    pointer = placeOf(event);
    redraw();
  });
  root.addEventListener('pointerleave', () => {
    pointer = undefined;
    redraw();
  });
  root.addEventListener('click', (event) => {
    const index = cellUnder(placeOf(event));
    if (index === undefined) return;
    activeKey = cells.keyAt(index);
    describeActive();
    redraw();
    cells.onOpen?.(index);
  });
  new ResizeObserver(redraw).observe(root);
  return { root, redraw, focus: () => root.focus() };
};
