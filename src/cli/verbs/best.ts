import { nearest } from '../../config/nearest.js';
import { MlvError } from '../../core/errors.js';
import type { Better } from '../../provenance/metrics.js';
import { requireModel, versionName } from '../../registry/reference-resolve.js';
import type { ModelState } from '../../registry/registry.js';
import { type Ranking, rankVersions, selectVersions, summarizeVersion } from '../../registry/version-list.js';
import { openRegistryHere } from '../open-registry.js';
import { conditionNotes, limitOption, whereOption } from '../registry-options.js';
import type { Session } from '../session.js';
import { type Result, textOption, type VerbInput } from '../verb.js';

/** `mlv best`: see its declaration. Errors: `USAGE`, `MODEL_UNKNOWN`, `VERSION_UNKNOWN`, `EXPRESSION_INVALID`. */
export async function run(session: Session, input: VerbInput): Promise<Result> {
  const metric = textOption(input.options.metric);
  if (metric === undefined) throw new MlvError('USAGE', 'mlv best needs --metric', { hint: 'such as: --metric auc' });
  const better = directionOption(input);
  const { registry } = await openRegistryHere(session);
  const model = await requireModel(await registry.viewOrFetch(), input.args[0] ?? '');
  const selection = selectVersions([model], whereOption(input));
  const candidates = selection.versions.filter(({ version }) => !version.deprecated);
  const ranking = rankVersions(candidates, { metric, ...(better && { better }) });
  if (ranking.ranked.length === 0) throw nothingRanked(model, metric, { candidates: candidates.length });
  const shown = ranking.ranked.slice(0, limitOption(input) ?? 1);
  return {
    text: shown.map(({ version }) => versionName(version)),
    json: {
      metric,
      better: ranking.better,
      versions: shown.map((each) => ({ ...summarizeVersion(each.model, each.version), value: each.value })),
      without: ranking.without.map(({ version }) => versionName(version)),
    },
    notes: [...conditionNotes(selection), ...rankingNotes(metric, ranking)],
  };
}

function directionOption({ options: { lower, higher } }: VerbInput): Better | undefined {
  if (lower === true && higher === true) {
    throw new MlvError('USAGE', '--lower and --higher exclude each other', { hint: 'leave one of them out' });
  }
  return lower === true ? 'lower' : higher === true ? 'higher' : undefined;
}

function rankingNotes(metric: string, { ranked: [first, next], without, better }: Ranking): string[] {
  const notes = [`${metric} is ${first?.value} (${better} is better)`];
  if (next) notes.push(`next is ${versionName(next.version)} with ${next.value}`);
  if (without.length > 0) notes.push(`${without.length} version(s) have no ${metric} and were left out`);
  return notes;
}

function nothingRanked(model: ModelState, metric: string, { candidates }: { candidates: number }): MlvError {
  const { name } = model;
  if (candidates === 0) {
    return new MlvError('VERSION_UNKNOWN', `no version of ${name} fits`, {
      hint: `all versions, with their figures: mlv list ${name}`,
      data: { model: name },
    });
  }
  const known = [
    ...new Set([...model.versions.values()].flatMap(({ summary }) => Object.keys(summary.metrics))),
  ].sort();
  const near = nearest(metric, known);
  const guess = near === undefined ? '' : `did you mean ${known[near]}? `;
  return new MlvError('VERSION_UNKNOWN', `no version of ${name} has a figure '${metric}'`, {
    hint: `${guess}the metrics are: ${known.join(', ') || 'none'}`,
    data: { model: name, metric },
  });
}
