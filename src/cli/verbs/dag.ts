import { MlvError } from '../../core/errors.js';
import { readPipeline, type Stage } from '../../provenance/pipeline-format.js';
import { buildPipeline, readBy, type StageEdge, selectStages, writtenBy } from '../../provenance/pipeline-graph.js';
import { openRepository } from '../context.js';
import { dotLines, mermaidLines, textLines } from '../render/pipeline.js';
import type { Session } from '../session.js';
import type { Result, VerbInput } from '../verb.js';

/** `mlv dag`: see its declaration. Errors: `PIPELINE_INVALID`, `USAGE`. */
export async function run(session: Session, { args, options }: VerbInput): Promise<Result> {
  if (options.mermaid === true && options.dot === true) {
    throw new MlvError('USAGE', '--mermaid and --dot cannot both be printed', { hint: 'choose one' });
  }
  const { layout } = await openRepository(session);
  const pipeline = buildPipeline(readPipeline(layout.worktree));
  const stages = selectStages(pipeline, args);
  const names = new Set(stages.map(({ name }) => name));
  const edges = pipeline.edges.filter(({ from, to }) => names.has(from) && names.has(to));
  const draw = options.mermaid === true ? mermaidLines : options.dot === true ? dotLines : textLines;
  return {
    text: draw({ stages, edges }),
    notes: stages.length === 0 ? ['mlv.yaml has no stages'] : [],
    json: { stages: stages.map((stage) => documentOf(stage, edges)), edges },
  };
}

function documentOf(stage: Stage, edges: readonly StageEdge[]): Record<string, unknown> {
  const { name, command, desc, line } = stage;
  return {
    name,
    command,
    ...(desc !== undefined && { desc }),
    line,
    reads: readBy(stage),
    writes: writtenBy(stage),
    after: [...new Set(edges.filter(({ to }) => to === name).map(({ from }) => from))],
  };
}
