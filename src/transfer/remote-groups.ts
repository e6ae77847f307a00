import type { Config } from '../config/config.js';
import { familyOf, mirrorsOf } from '../config/mirrors.js';
import { defaultRemote, remoteSettings } from '../config/remote-choice.js';
import type { Selection } from '../workspace/pointers.js';

/** Selections that concern the same remotes. */
export interface RemoteGroup {
  /** By name, at least one, in the order in which they are to be used. */
  remotes: readonly string[];
  selections: Selection[];
}

export interface GroupOptions {
  config: Config;
  /** The remotes that the user named; none for those that pointers and configuration say. */
  named: readonly string[];
  /**
   * `all`: each named remote and no other; otherwise that of the pointer, or the default, and its mirrors: for what each
   * remote must have. `first`: where to look one after the other, with what the remotes mirror and their mirrors: for
   * what may come from any.
   */
  use: 'all' | 'first';
}

/** Which remotes are used for which selections. Error: `REMOTE_NOT_CONFIGURED`. Pure. */
export function groupByRemotes(selections: readonly Selection[], options: GroupOptions): RemoteGroup[] {
  const { config, named } = options;
  for (const name of named) remoteSettings(config, name);
  const groups = new Map<string, RemoteGroup>();
  for (const selection of selections) {
    const remotes = remotesFor(selection, options);
    const key = remotes.join(' ');
    const group = groups.get(key);
    if (group) group.selections.push(selection);
    else groups.set(key, { remotes, selections: [selection] });
  }
  return [...groups.values()];
}

function remotesFor({ target }: Selection, options: GroupOptions): string[] {
  return remotesOf(target.pointer.remote, options);
}

/** The remotes for what a pointer that names `remote` (or none) names, in order. Error: `REMOTE_NOT_CONFIGURED`. Pure. */
export function remotesOf(remote: string | undefined, { config, named, use }: GroupOptions): string[] {
  const chosen = named.length > 0 ? named : [remote ?? defaultRemote(config)];
  if (use === 'first') return [...new Set([...chosen, ...chosen.flatMap((name) => familyOf(name, config))])];
  if (named.length > 0) return [...new Set(named)];
  return [...new Set([...chosen, ...chosen.flatMap((name) => mirrorsOf(name, config))])];
}
