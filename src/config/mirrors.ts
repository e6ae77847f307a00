import type { Config } from './config.js';

type Remotes = Pick<Config, 'remotes'>;

/**
 * The remotes that say (`remote.<name>.mirror-of`) that they hold what this one holds, those of their own mirrors
 * included, by name. One that has no address is left out. Pure.
 */
export function mirrorsOf(name: string, config: Remotes): string[] {
  const found = new Set<string>();
  const visit = (of: string): void => {
    for (const [each, settings] of config.remotes) {
      if (settings.mirrorOf !== of || each === name || found.has(each)) continue;
      found.add(each);
      visit(each);
    }
  };
  visit(name);
  return [...found].filter((each) => config.remotes.get(each)?.url !== undefined).sort();
}

/**
 * Where the objects of a remote may be had, in the order to be tried: itself, then what it mirrors, then the other
 * mirrors of that. Pure.
 */
export function familyOf(name: string, config: Remotes): string[] {
  const line = [name];
  let head = name;
  for (;;) {
    const above = config.remotes.get(head)?.mirrorOf;
    // Two that mirror each other are one family, too.
    if (above === undefined || line.includes(above)) break;
    line.push(above);
    head = above;
  }
  const [first, ...others] = [...new Set([...line, ...mirrorsOf(head, config)])];
  return [first as string, ...others.filter((each) => config.remotes.get(each)?.url !== undefined)];
}
