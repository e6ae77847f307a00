import type { CommitGraph } from '../git/git.js';

/** How far back from where it starts a collection keeps. */
export interface CommitDepth {
  /** Commits from each start, the start itself included. */
  last: number;
  /** Every commit since then, in seconds since 1970. */
  since?: number | undefined;
}

/** Commits whose trees are kept. */
export interface ChosenCommits {
  /** Those whose parents are all among the chosen: what they changed is enough. */
  commits: string[];
  /** The others, which must be looked at whole. */
  whole: string[];
}

/**
 * The commits within the depth: from each start the newest `last` ones that lead to it, by their dates, and all since a
 * date. Every file of a chosen commit is then either in a whole one or was changed by one of the others. Pure.
 */
export function chooseCommits(
  graph: CommitGraph['commits'],
  starts: readonly string[],
  { last, since }: CommitDepth,
): ChosenCommits {
  const chosen = new Set<string>();
  for (const start of starts) for (const commit of newest(graph, start, last)) chosen.add(commit);
  if (since !== undefined) for (const [commit, { time }] of graph) if (time >= since) chosen.add(commit);
  const result: ChosenCommits = { commits: [], whole: [] };
  for (const commit of chosen) {
    const parents = graph.get(commit)?.parents ?? [];
    const isInside = parents.length > 0 && parents.every((parent) => chosen.has(parent));
    (isInside ? result.commits : result.whole).push(commit);
  }
  return result;
}

function newest(graph: CommitGraph['commits'], start: string, count: number): Set<string> {
  const found = new Set<string>();
  const front = new Set([start]);
  while (front.size > 0 && found.size < count) {
    let next = '';
    for (const commit of front) if (next === '' || timeOf(graph, commit) > timeOf(graph, next)) next = commit;
    front.delete(next);
    found.add(next);
    for (const parent of graph.get(next)?.parents ?? []) if (!found.has(parent)) front.add(parent);
  }
  return found;
}

function timeOf(graph: CommitGraph['commits'], commit: string): number {
  return graph.get(commit)?.time ?? 0;
}
