/// <reference lib="dom" />
import { button, element, setText } from './dom.ts';

/** Light, dark or the system's theme. Canvases need colours as values, so they are read whenever the theme changes. */
const choices = ['automatic', 'light', 'dark'] as const;
type Choice = (typeof choices)[number];
const storageKey = 'branchline.theme';

const colourNames = [
  ...['panel', 'ink', 'ink-soft', 'line', 'line-strong', 'accent', 'raised', 'good', 'warn', 'bad'],
  ...['online', 'late', 'silent', 'closed', 'never'],
  ...['online-ink', 'late-ink', 'silent-ink', 'closed-ink', 'never-ink'],
  ...['heat-complete', 'heat-missing', 'heat-hatch', 'heat-running', 'heat-mark'],
  ...['sales', 'sales-hatch', 'ghost'],
] as const;
export type Palette = Record<string, string>;

/** Storage may be unavailable, as in a private window. */
const stored = (): Choice => {
  try {
    return choices.find((choice) => choice === localStorage.getItem(storageKey)) ?? 'automatic';
  } catch {
    return 'automatic';
  }
};
const store = (choice: Choice): void => {
  try {
    localStorage.setItem(storageKey, choice);
  } catch {
    // The choice then holds for this page only.
  }
};

const readPalette = (): Palette => {
  const probe = document.body.appendChild(element('span', { hidden: true }));
  const palette = Object.fromEntries(
    colourNames.map((name) => {
      probe.style.color = `var(--${name})`;
      return [name, getComputedStyle(probe).color];
    }),
  );
  probe.remove();
  return palette;
};

export type Theme = { palette(): Palette };

export const startTheme = (onChange: () => void): Theme => {
  let choice = stored();
  let palette: Palette = {};
  const theSwitch = button('theme-switch');
  const apply = (): void => {
    if (choice === 'automatic') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = choice;
    setText(theSwitch, `Theme: ${choice}`);
    palette = readPalette();
    onChange();
  };
  theSwitch.addEventListener('click', () => {
    choice = choices[(choices.indexOf(choice) + 1) % choices.length] as Choice;
    store(choice);
    apply();
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', apply);
  apply();
  return { palette: () => palette };
};

/** A colour by its name in theme.css. */
export const colour = (palette: Palette, name: string): string => palette[name] ?? 'transparent';
