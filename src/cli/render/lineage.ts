import type { ImportNode, LineageEdge, LineageNode, Reached } from '../../provenance/lineage.js';
import { forDot, forMermaid } from './graph-words.js';
import { escapeControls } from './quote.js';
import type { Style } from './style.js';

/** What lineage found on both sides of what was asked about. */
export interface LineageSides {
  starts: readonly string[];
  up: Reached | undefined;
  down: Reached | undefined;
}

/** What something came of and what came of it, each as an indented list; what was shown already is not shown again. */
export function* lineageText({ starts, up, down }: LineageSides, style: Style): Generator<string> {
  for (const start of starts) {
    const node = [...(up?.nodes ?? []), ...(down?.nodes ?? [])].find(({ id }) => id === start);
    yield style.bold(node ? label(node) : start);
    if (up) yield* branch(up, start, { title: 'came of', near: ({ to }) => to, far: ({ from }) => from });
    if (down) yield* branch(down, start, { title: 'went into', near: ({ from }) => from, far: ({ to }) => to });
  }
}

interface Side {
  title: string;
  near: (edge: LineageEdge) => string;
  far: (edge: LineageEdge) => string;
}

function* branch(reached: Reached, start: string, { title, near, far }: Side): Generator<string> {
  const nodes = new Map(reached.nodes.map((node) => [node.id, node]));
  const from = new Map<string, LineageEdge[]>();
  for (const edge of reached.edges) from.set(near(edge), [...(from.get(near(edge)) ?? []), edge]);
  const shown = new Set<string>([start]);
  yield `  ${title}${(from.get(start) ?? []).length === 0 ? ': nothing that is known' : ''}`;
  const waiting = (from.get(start) ?? []).map((edge) => ({ id: far(edge), depth: 2 })).reverse();
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    const node = nodes.get(at.id);
    if (!node) continue;
    const again = shown.has(at.id) && (from.get(at.id) ?? []).length > 0;
    yield `${'  '.repeat(at.depth)}${label(node)}${again ? ' (as above)' : ''}`;
    if (shown.has(at.id)) continue;
    shown.add(at.id);
    for (const edge of [...(from.get(at.id) ?? [])].reverse()) waiting.push({ id: far(edge), depth: at.depth + 1 });
  }
}

/** A flowchart for Mermaid. */
export function* lineageMermaid({ nodes, edges }: Reached): Generator<string> {
  const ids = new Map(nodes.map(({ id }, at) => [id, `n${at + 1}`]));
  yield 'flowchart LR';
  for (const node of nodes) {
    const [open, close] = BRACKETS[node.kind];
    yield `  ${ids.get(node.id)}${open}"${forMermaid(label(node))}"${close}`;
  }
  for (const { from, to } of edges) yield `  ${ids.get(from)} --> ${ids.get(to)}`;
}

const BRACKETS = { content: ['[(', ')]'], run: ['[', ']'], version: ['([', '])'], import: ['[/', '/]'] } as const;
const SHAPES = { content: 'ellipse', run: 'box', version: 'house', import: 'parallelogram' } as const;

/** A graph for Graphviz. */
export function* lineageDot({ nodes, edges }: Reached): Generator<string> {
  yield 'digraph lineage {';
  yield '  rankdir=LR;';
  for (const node of nodes) yield `  ${forDot(node.id)} [label=${forDot(label(node))}, shape=${SHAPES[node.kind]}];`;
  for (const { from, to, as } of edges) yield `  ${forDot(from)} -> ${forDot(to)} [label=${forDot(as)}];`;
  yield '}';
}

function label(node: LineageNode): string {
  if (node.kind === 'version') {
    const marks = [...node.stages, ...(node.deprecated ? ['deprecated'] : [])];
    return `${node.id}${marks.length > 0 ? ` (${marks.join(', ')})` : ''}`;
  }
  if (node.kind === 'import') return importLabel(node);
  if (node.kind === 'run')
    return `run ${escapeControls(node.name ?? node.command)} (${node.ended.slice(0, 10)}, ${codeOf(node)})`;
  const [path] = node.paths;
  const digest = node.id.slice(0, node.id.indexOf(':') + 13);
  return path === undefined ? digest : `${escapeControls(path)} (${digest})`;
}

/** Where content was imported from, on one line. */
export function importLabel({ url, path, commit, version, etag }: ImportNode): string {
  const at = commit?.slice(0, 10) ?? version ?? etag;
  const what = path === undefined ? url : `${path} of ${url}`;
  return escapeControls(`import of ${what}${at === undefined ? '' : ` (${at})`}`);
}

function codeOf({ commit, dirty }: { commit?: string; dirty: boolean }): string {
  return `${commit === undefined ? 'no commit' : commit.slice(0, 10)}${dirty ? ' and changes' : ''}`;
}
