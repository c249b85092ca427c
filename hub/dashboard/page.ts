import type { Announcer } from './announcer.ts';
import type { Hatch } from './hatch.ts';
import type { PageState } from './model/page-state.ts';
import type { Theme } from './theme.ts';

/** What every panel gets. */
export type Page = {
  state: PageState;
  theme: Theme;
  hatch: Hatch;
  announcer: Announcer;
  /** The server's clock in ms: ages must not depend on the viewer's clock. */
  now(): number;
};
