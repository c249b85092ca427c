/// <reference lib="dom" />

/** Marks the section in view in the navigation. */
export const followSections = (): void => {
  const links = new Map(
    [...document.querySelectorAll<HTMLAnchorElement>('.sections a')].map((link) => [
      link.hash.slice(1),
      link,
    ]),
  );
  const seen = new Set<string>();
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries)
        if (isIntersecting) seen.add(target.id);
        else seen.delete(target.id);
      const current = [...links.keys()].find((id) => seen.has(id));
      for (const [id, link] of links)
        if (id === current) link.setAttribute('aria-current', 'true');
        else link.removeAttribute('aria-current');
    },
    // A section is current once its heading reaches the upper third of the screen.
    { rootMargin: '-120px 0px -60% 0px' },
  );
  for (const id of links.keys()) {
    const section = document.getElementById(id);
    if (section !== null) observer.observe(section);
  }
};
