import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/** What one call of the harness measures, and how. */
export interface Options {
  /** Measure against other tools instead of the rows. */
  compare: boolean;
  /** Tiny inputs, one run, no budgets: proves that every row works. */
  smoke: boolean;
  /** Also the rows that need tens of GiB of disk. */
  large: boolean;
  /** Ids of rows (or their beginnings); all when empty. */
  only: string[];
  /** Runs of each contestant; each row has its own number when undefined. */
  runs: number | undefined;
  /** Where the JSON goes; `bench/results/<date>.json` when undefined. */
  json: string | undefined;
  /** Leave the inputs for the next call with the same `--dir`. */
  keep: boolean;
  /** Put the table into docs/benchmarks.md. */
  writeDocs: boolean;
  /** The directory that a directory of inputs is made in. */
  directory: string;
  /** The program to measure; when it is given, nothing is built. */
  program: string | undefined;
  /** Only list the rows. */
  list: boolean;
}

export const USAGE = `npm run bench -- [compare] [options]
  compare         against s5cmd, rclone, the aws CLI and restic, those that are on the PATH, on one S3 server
  --smoke         tiny inputs, one run, no budgets
  --large         also the rows with a file of 10 GiB (they need 60 GiB of disk)
  --only <row>    only this row, or all whose id (with compare, whose files) begins so; may be repeated
  --runs <n>      runs of each command (the median counts)
  --json <file>   write the results there instead of bench/results/
  --write-docs    put the table into docs/benchmarks.md
  --dir <dir>     make the inputs there instead of the temporary directory
  --keep          do not remove the inputs
  --bin <file>    measure this bin/mlv.js, and build nothing
  --list          list the rows`;

/** Reads the command line. Throws a TypeError (of node:util) or RangeError that says what is wrong with it. */
export function readOptions(argv: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      smoke: { type: 'boolean', default: false },
      large: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
      runs: { type: 'string' },
      json: { type: 'string' },
      keep: { type: 'boolean', default: false },
      'write-docs': { type: 'boolean', default: false },
      dir: { type: 'string', default: tmpdir() },
      bin: { type: 'string' },
      list: { type: 'boolean', default: false },
    },
  });
  const { smoke, large, only, json, keep, list } = values;
  if (smoke && values['write-docs']) throw new RangeError('--smoke measures nothing worth writing to the docs');
  const unknown = positionals.find((word) => word !== 'compare');
  if (unknown !== undefined) throw new RangeError(`there is no '${unknown}'`);
  return {
    compare: positionals.length > 0,
    smoke,
    large,
    only,
    json,
    keep,
    list,
    runs: values.runs === undefined ? undefined : wholeNumber(values.runs),
    writeDocs: values['write-docs'],
    directory: resolve(values.dir),
    program: values.bin === undefined ? undefined : resolve(values.bin),
  };
}

/** The program that `npm run build` makes runnable. */
export const BUILT_PROGRAM = fileURLToPath(new URL('../bin/mlv.js', import.meta.url));

function wholeNumber(text: string): number {
  if (!/^[1-9][0-9]*$/.test(text)) throw new RangeError(`--runs must be a whole number above 0, not '${text}'`);
  return Number(text);
}
