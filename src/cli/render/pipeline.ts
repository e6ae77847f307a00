import type { Stage } from '../../provenance/pipeline-format.js';
import { type Pipeline, readBy, writtenBy } from '../../provenance/pipeline-graph.js';
import { forDot, forMermaid } from './graph-words.js';
import { escapeControls } from './quote.js';

/** Stages in order, each with what it needs, reads and writes. */
export function* textLines(pipeline: Pipeline): Generator<string> {
  for (const stage of pipeline.stages) {
    const after = [...new Set(pipeline.edges.filter(({ to }) => to === stage.name).map(({ from }) => from))];
    yield `${stage.name}${after.length > 0 ? ` <- ${after.join(', ')}` : ''}`;
    const reads = readBy(stage);
    const writes = writtenBy(stage);
    if (reads.length > 0) yield `  reads  ${reads.map((path) => escapeControls(path)).join(', ')}`;
    if (writes.length > 0) yield `  makes  ${writes.map((path) => escapeControls(path)).join(', ')}`;
  }
}

/** A flowchart for Mermaid. */
export function* mermaidLines({ stages, edges }: Pipeline): Generator<string> {
  const ids = idsOf(stages);
  yield 'flowchart TD';
  for (const { name } of stages) yield `  ${ids.get(name)}["${forMermaid(name)}"]`;
  for (const { from, to, path } of edges) yield `  ${ids.get(from)} -- "${forMermaid(path)}" --> ${ids.get(to)}`;
}

/** A graph for Graphviz. */
export function* dotLines({ stages, edges }: Pipeline): Generator<string> {
  yield 'digraph pipeline {';
  for (const { name } of stages) yield `  ${forDot(name)} [shape=box];`;
  for (const { from, to, path } of edges) yield `  ${forDot(from)} -> ${forDot(to)} [label=${forDot(path)}];`;
  yield '}';
}

/** Mermaid's own words, such as `end`, must not be names of nodes. */
function idsOf(stages: readonly Stage[]): Map<string, string> {
  return new Map(stages.map(({ name }, at) => [name, `s${at + 1}`]));
}
