/**
 * The graph of what came of what: contents, the runs that read and made them, and the versions that hold them. Pure; see
 * collect-lineage.ts for where the facts come from.
 */

/** A content that a run read or made, or a version holds. */
export interface ContentNode {
  kind: 'content';
  /** Its oid, or `git:<blob>` for a file of Git. */
  id: string;
  /** The paths it had, in the order in which they were met. */
  paths: string[];
}

/** One run of a command. */
export interface RunNode {
  kind: 'run';
  /** Oid of its record. */
  id: string;
  name?: string;
  command: string;
  /** RFC 3339. */
  ended: string;
  commit?: string;
  dirty: boolean;
}

/** One version of a model. */
export interface VersionNode {
  kind: 'version';
  /** `fraud@1.4.0`. */
  id: string;
  /** Where it stands today. */
  stages: string[];
  deprecated: boolean;
}

/** A place that content was imported from. */
export interface ImportNode {
  kind: 'import';
  /** `import:` and what tells it from others: address, path, commit or what the server called it. */
  id: string;
  /** Without credentials. */
  url: string;
  /** Of a Git repository. */
  path?: string;
  commit?: string;
  /** What a server called this content. */
  etag?: string;
  version?: string;
}

export type LineageNode = ContentNode | RunNode | VersionNode | ImportNode;

/** `from` went into `to`. */
export interface LineageEdge {
  from: string;
  to: string;
  /** What it was to it: `part` is a file or directory of a directory, or the directory of a file. */
  as: 'input' | 'output' | 'artifact' | 'data' | 'component' | 'part' | 'import';
}

/** A content where a run or a version names it. */
export interface ContentUse {
  id: string;
  /** Empty where it is not known. */
  path: string;
  /** True for a directory that mlv tracks. */
  directory?: boolean;
}

/** What the graph is made of. */
export interface LineageFacts {
  /** Contents that are asked about, whether or not a run or version names them. */
  asked: readonly ContentUse[];
  runs: readonly {
    node: RunNode;
    inputs: readonly ContentUse[];
    outputs: readonly ContentUse[];
  }[];
  versions: readonly {
    node: VersionNode;
    artifacts: readonly ContentUse[];
    data: readonly ContentUse[];
    /** Names of versions. */
    components: readonly string[];
    /** Oid of the record of the run that made it. */
    run?: string;
  }[];
  /** Contents that were imported. */
  imports?: readonly { node: ImportNode; content: ContentUse }[];
  /** For a directory's oid, the oids of this graph that lie anywhere in it. */
  parts: ReadonlyMap<string, ReadonlySet<string>>;
}

/** What was reached from somewhere. */
export interface Reached {
  nodes: LineageNode[];
  edges: LineageEdge[];
}

/** The graph, for walks against and with the arrows. */
export class LineageGraph {
  private readonly nodes = new Map<string, LineageNode>();
  private readonly into = new Map<string, LineageEdge[]>();
  private readonly outOf = new Map<string, LineageEdge[]>();
  private readonly holders = new Map<string, string[]>();

  constructor(private readonly facts: LineageFacts) {
    for (const each of facts.asked) this.content(each);
    for (const { node, content } of facts.imports ?? []) {
      this.nodes.set(node.id, node);
      this.join(node.id, this.content(content), 'import');
    }
    for (const { node, inputs, outputs } of facts.runs) {
      this.nodes.set(node.id, node);
      for (const input of inputs) this.join(this.content(input), node.id, 'input');
      for (const output of outputs) this.join(node.id, this.content(output), 'output');
    }
    for (const { node, artifacts, data, components } of facts.versions) {
      this.nodes.set(node.id, node);
      for (const each of artifacts) this.join(this.content(each), node.id, 'artifact');
      for (const each of data) this.join(this.content(each), node.id, 'data');
      for (const each of components) this.join(each, node.id, 'component');
    }
    for (const { node, run } of facts.versions) {
      if (run !== undefined && this.nodes.has(run)) this.join(run, node.id, 'output');
    }
    for (const [directory, parts] of facts.parts) {
      for (const part of parts) append(this.holders, part, directory);
    }
  }

  /** A node by its oid or name; undefined where nothing in the graph has it. */
  node(id: string): LineageNode | undefined {
    return this.nodes.get(id);
  }

  /** True for a directory that holds a content, at whatever depth. */
  holds(directory: string, content: string): boolean {
    return this.facts.parts.get(directory)?.has(content) === true;
  }

  /** Everything that the starts came of (`up`), or that came of them (`down`); the starts are among the nodes. */
  reach(starts: readonly string[], direction: 'up' | 'down'): Reached {
    const nodes = new Map<string, LineageNode>();
    const edges = new Map<string, LineageEdge>();
    const follow = direction === 'up' ? this.into : this.outOf;
    const seen = new Set<string>();
    const waiting = starts.map((id) => ({ id, asPart: false }));
    for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
      const node = this.nodes.get(at.id);
      // Who was reached as a part is not taken for its other parts: two directories that share a file are no relatives.
      if (!node || seen.has(at.id) || (at.asPart && nodes.has(at.id))) continue;
      if (!at.asPart) seen.add(at.id);
      nodes.set(at.id, node);
      const near = at.asPart ? [] : this.relatives(at.id, follow).map((id) => partEdge(at.id, id, direction));
      for (const edge of [...(follow.get(at.id) ?? []), ...near]) {
        edges.set(`${edge.from}\0${edge.to}\0${edge.as}`, edge);
        waiting.push({ id: direction === 'up' ? edge.from : edge.to, asPart: edge.as === 'part' });
      }
    }
    return { nodes: [...nodes.values()], edges: [...edges.values()] };
  }

  /** Directories that hold a content, and contents that it holds, where the walk can go on from there. */
  private relatives(id: string, follow: ReadonlyMap<string, readonly LineageEdge[]>): string[] {
    if (this.nodes.get(id)?.kind !== 'content') return [];
    return [...(this.holders.get(id) ?? []), ...(this.facts.parts.get(id) ?? [])].filter((each) => follow.has(each));
  }

  private content({ id, path }: ContentUse): string {
    const there = this.nodes.get(id);
    if (there?.kind === 'content') {
      if (path !== '' && !there.paths.includes(path)) there.paths.push(path);
    } else this.nodes.set(id, { kind: 'content', id, paths: path === '' ? [] : [path] });
    return id;
  }

  private join(from: string, to: string, as: LineageEdge['as']): void {
    const edge = { from, to, as };
    append(this.outOf, from, edge);
    append(this.into, to, edge);
  }
}

function partEdge(id: string, other: string, direction: 'up' | 'down'): LineageEdge {
  return direction === 'up' ? { from: other, to: id, as: 'part' } : { from: id, to: other, as: 'part' };
}

function append<T>(map: Map<string, T[]>, key: string, value: T): void {
  const there = map.get(key);
  if (there) there.push(value);
  else map.set(key, [value]);
}
