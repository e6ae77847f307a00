import { isWithin, type RepositoryPath } from '../workspace/paths.js';
import { pipelineError, type Stage } from './pipeline-format.js';

/** That one stage reads what another writes. */
export interface StageEdge {
  from: string;
  to: string;
  /** What the first writes and the second reads. */
  path: RepositoryPath;
}

/** Stages in an order in which they can run, and what leads from one to another. */
export interface Pipeline {
  stages: Stage[];
  edges: StageEdge[];
}

/**
 * Orders stages so that each comes after those whose outputs it reads; otherwise they stay in the order of the file.
 * Pure. Error: `PIPELINE_INVALID` with the line, for outputs that overlap, a stage that reads what it writes, a cycle.
 */
export function buildPipeline(stages: readonly Stage[]): Pipeline {
  const writers = stages.flatMap((stage) => writtenBy(stage).map((path) => ({ stage, path })));
  checkWriters(writers);
  const edges = stages.flatMap((stage) => edgesTo(stage, writers));
  return { stages: sortStages(stages, edges), edges };
}

interface Writer {
  stage: Stage;
  path: RepositoryPath;
}

/** Everything that a stage writes. */
export function writtenBy({ outs, metrics }: Stage): RepositoryPath[] {
  return [...new Set([...outs, ...metrics])];
}

/** Everything that a stage reads. */
export function readBy({ deps, params }: Stage): RepositoryPath[] {
  return [...new Set([...deps, ...params.map(({ path }) => path)])];
}

function overlap(left: RepositoryPath, right: RepositoryPath): boolean {
  return isWithin(left, right) || isWithin(right, left);
}

/** Sorted by path, what lies in one another stands side by side; each is compared with the outer ones still open. */
function checkWriters(writers: readonly Writer[]): void {
  const sorted = [...writers].sort((left, right) => compareByParts(left.path, right.path));
  const open: Writer[] = [];
  for (const writer of sorted) {
    while (open.length > 0 && !isWithin(writer.path, (open.at(-1) as Writer).path)) open.pop();
    const outer = open.at(-1);
    // A stage's own metrics may lie in its output directory.
    if (outer && !(outer.stage === writer.stage && outer.path !== writer.path && isMetrics(writer))) {
      const second = outer.stage.line > writer.stage.line ? outer : writer;
      const first = second === outer ? writer : outer;
      throw pipelineError(
        `stage '${second.stage.name}' writes '${second.path}', and stage '${first.stage.name}' writes '${first.path}': ` +
          'what one stage makes, no other may change',
        { line: second.stage.line },
      );
    }
    open.push(writer);
  }
}

function isMetrics({ stage, path }: Writer): boolean {
  return stage.metrics.includes(path);
}

/** A directory comes right before everything below it. */
function compareByParts(left: RepositoryPath, right: RepositoryPath): number {
  const [first, second] = [left.replaceAll('/', '\0'), right.replaceAll('/', '\0')];
  return first < second ? -1 : first > second ? 1 : 0;
}

function edgesTo(stage: Stage, writers: readonly Writer[]): StageEdge[] {
  const found = new Map<string, StageEdge>();
  for (const path of readBy(stage)) {
    for (const writer of writers) {
      if (!overlap(path, writer.path)) continue;
      if (writer.stage === stage) {
        // A directory that is read may hold what is written, which is none of what is read then.
        if (isWithin(path, writer.path)) {
          throw pipelineError(`stage '${stage.name}' reads '${path}', which it writes itself`, { line: stage.line });
        }
        continue;
      }
      const edge = { from: writer.stage.name, to: stage.name, path: writer.path };
      found.set(`${edge.from}\0${edge.path}`, edge);
    }
  }
  return [...found.values()];
}

function sortStages(stages: readonly Stage[], edges: readonly StageEdge[]): Stage[] {
  const before = new Map(stages.map(({ name }) => [name, new Set<string>()]));
  for (const { from, to } of edges) before.get(to)?.add(from);
  const sorted: Stage[] = [];
  const done = new Set<string>();
  let rest = [...stages];
  while (rest.length > 0) {
    const ready = rest.filter(({ name }) => [...(before.get(name) ?? [])].every((each) => done.has(each)));
    if (ready.length === 0) throw cycleError(rest, before);
    for (const stage of ready) done.add(stage.name);
    sorted.push(...ready);
    rest = rest.filter(({ name }) => !done.has(name));
  }
  return sorted;
}

function cycleError(stages: readonly Stage[], before: ReadonlyMap<string, ReadonlySet<string>>): Error {
  const names = new Set(stages.map(({ name }) => name));
  const path: string[] = [];
  let name = (stages[0] as Stage).name;
  // From one that waits to one that it waits for: some name comes up twice.
  while (!path.includes(name)) {
    path.push(name);
    name = [...(before.get(name) ?? [])].find((each) => names.has(each)) as string;
  }
  const cycle = [...path.slice(path.indexOf(name)), name].reverse();
  const line = stages.find((stage) => stage.name === cycle[0])?.line;
  return pipelineError(`stages wait for one another: ${cycle.join(' -> ')}`, { ...(line !== undefined && { line }) });
}

/** The stages that are asked for, with all that they need, in order. Error: `PIPELINE_INVALID` for an unknown name. */
export function selectStages({ stages, edges }: Pipeline, names: readonly string[]): Stage[] {
  if (names.length === 0) return stages;
  const known = new Set(stages.map(({ name }) => name));
  const unknown = names.find((name) => !known.has(name));
  if (unknown !== undefined) {
    throw pipelineError(`there is no stage '${unknown}'; there are: ${[...known].join(', ') || 'none'}`, {});
  }
  const wanted = new Set(names);
  for (const { name } of [...stages].reverse()) {
    if (wanted.has(name)) for (const edge of edges) if (edge.to === name) wanted.add(edge.from);
  }
  return stages.filter(({ name }) => wanted.has(name));
}

/** The stages that a stage waits for directly. */
export function upstreamOf({ edges }: Pipeline, name: string): string[] {
  return [...new Set(edges.filter(({ to }) => to === name).map(({ from }) => from))];
}
