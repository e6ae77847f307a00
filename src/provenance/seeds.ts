import type { Environment } from './environment.js';
import type { ParamValue } from './params.js';
import type { RunParams } from './run-record.js';

const SEED = /(?:^|[._-])(?:\w*seeds?|random_?state)$/i;

/** Parameters whose name ends like a seed's (`train.seed`, `random_state`), and the variables of the same kind. */
export function seedsOf(params: readonly RunParams[], { variables = {} }: Environment): Record<string, ParamValue> {
  const all = params.flatMap(({ values }) => Object.entries(values)).filter(([name]) => SEED.test(name));
  const hashSeed = variables.PYTHONHASHSEED;
  return Object.fromEntries(hashSeed === undefined ? all : [...all, ['PYTHONHASHSEED', hashSeed]]);
}
