import type { ImportNode, LineageGraph, RunNode } from './lineage.js';

/** What made some content, or brought it into the repository. */
export interface Makers {
  /** The newest first. */
  runs: RunNode[];
  imports: ImportNode[];
}

/**
 * The runs that wrote the contents or versions of these ids, and the imports that brought them: of a file, also the run
 * that made its directory; of a version, those of its artifacts. Pure.
 */
export function makersOf(graph: LineageGraph, starts: readonly string[]): Makers {
  const { nodes, edges } = graph.reach(starts, 'up');
  const near = new Set(starts);
  for (const { from, to, as } of edges) if (starts.includes(to) && (as === 'part' || as === 'artifact')) near.add(from);
  const makers = new Set(edges.filter(({ to, as }) => as === 'output' && near.has(to)).map(({ from }) => from));
  // A directory was not brought here by the imports of files that it happens to hold, too.
  const whole = [...near].filter((id) => !starts.some((start) => graph.holds(start, id)));
  const origins = new Set(edges.filter(({ to, as }) => as === 'import' && whole.includes(to)).map(({ from }) => from));
  return {
    runs: nodes
      .filter((node) => node.kind === 'run')
      .filter(({ id }) => makers.has(id))
      .sort((left, right) => (left.ended < right.ended ? 1 : -1)),
    imports: nodes.filter((node) => node.kind === 'import').filter(({ id }) => origins.has(id)),
  };
}
