import { describe, expect, it } from 'vitest';
import { parseCondition } from '../../src/registry/condition.js';
import { summarizeModel } from '../../src/registry/model-summary.js';
import {
  type Candidate,
  rankVersions,
  selectVersions,
  sortVersions,
  summarizeVersion,
} from '../../src/registry/version-list.js';
import { assignments, modelState, versionState } from '../helpers/registry-state.js';

const figures = (auc: number | undefined, rmse?: number) => ({
  summary: {
    metrics: {
      ...(auc !== undefined && { auc: { value: auc } }),
      ...(rmse !== undefined && { rmse: { value: rmse } }),
    },
    params: { depth: auc === undefined ? 'deep' : 6 },
  },
});
const fraud = modelState(
  'fraud',
  [
    versionState('fraud@1.0.0', figures(0.9, 3)),
    versionState('fraud@1.2.0', { ...figures(0.8, 1), stages: ['production'] }),
    versionState('fraud@1.10.0', figures(0.9, 2)),
    versionState('fraud@2.0.0', figures(undefined)),
  ],
  { production: [assignments(['1.0.0', 100]), assignments(['1.2.0', 90], ['1.10.0', 10])] },
);
const names = (versions: readonly Candidate[] | undefined): string[] | undefined =>
  versions?.map(({ version }) => version.version);
const all = selectVersions([fraud]).versions;

describe('versions of models', () => {
  it('are chosen by a condition, the newest first; what is missing and what could not be judged is counted', () => {
    expect(names(all)).toEqual(['2.0.0', '1.10.0', '1.2.0', '1.0.0']);
    const found = selectVersions([fraud], parseCondition('auc > 0.85 and depth < 10'));
    expect(names(found.versions)).toEqual(['1.10.0', '1.0.0']);
    expect(found.missing).toEqual(new Map([['auc', 1]]));
    expect(found).toMatchObject({ asked: 4, unfit: 'depth is text, 10 is a number: they cannot be compared' });
  });

  it('are ranked in the direction of the metric, of equals the first given first', () => {
    expect(names(rankVersions(all, { metric: 'auc' }).ranked)).toEqual(['1.10.0', '1.0.0', '1.2.0']);
    expect(rankVersions(all, { metric: 'rmse' })).toMatchObject({ better: 'lower', without: [all[0]] });
    expect(names(rankVersions(all, { metric: 'rmse' }).ranked)).toEqual(['1.2.0', '1.10.0', '1.0.0']);
    expect(names(rankVersions(all, { metric: 'metrics.rmse', better: 'higher' }).ranked)).toEqual([
      '1.0.0',
      '1.10.0',
      '1.2.0',
    ]);
    expect(rankVersions(all, { metric: 'val/auc' }).ranked).toEqual([]);
  });

  it('are sorted, with those that lack the figure behind; not at all where none has it', () => {
    expect(names(sortVersions(all, 'rmse'))).toEqual(['1.2.0', '1.10.0', '1.0.0', '2.0.0']);
    expect(names(sortVersions(all, 'version'))).toEqual(names(all));
    expect(sortVersions(all, 'nothing')).toBeUndefined();
  });

  it('are summed up with what stands where', () => {
    expect(summarizeModel(fraud)).toMatchObject({
      model: 'fraud',
      versions: 4,
      latest: '2.0.0',
      stages: [
        {
          stage: 'production',
          versions: [
            { version: '1.2.0', traffic: 90 },
            { version: '1.10.0', traffic: 10 },
          ],
        },
      ],
    });
    const onProduction = summarizeVersion(fraud, fraud.versions.get('1.2.0')!);
    expect(onProduction).toMatchObject({
      stages: [{ stage: 'production', traffic: 90 }],
      metrics: { auc: 0.8, rmse: 1 },
    });
  });
});
