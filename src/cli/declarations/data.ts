import type { OptionDeclaration, VerbDeclaration } from '../verb.js';

/** How files of rows are looked at. */
export const profileOptionDeclarations: readonly OptionDeclaration[] = [
  { flags: '--format <format>', description: 'what the file is', choices: ['csv', 'tsv', 'jsonl', 'parquet'] },
  { flags: '--delimiter <character>', description: 'what stands between cells of a CSV file (found out)' },
  { flags: '--no-header', description: 'the first row of a CSV file is data' },
  { flags: '--columns <names>', description: 'only these columns, with commas between them', many: true },
  { flags: '--sample <rows>', description: 'only this many rows, from the first' },
  { flags: '--categories <number>', description: 'count up to this many distinct values of a column (50)' },
  { flags: '--no-data', description: 'of a Parquet file, only what its metadata says' },
];

/** Verbs that tell what is in data. */
export const dataVerbs: readonly VerbDeclaration[] = [
  {
    usage: 'schema <path>',
    summary: 'Profile a file of rows: columns, types, ranges, nulls, distinct values',
    description:
      'Reads CSV, TSV, JSON lines (.gz, too) and Parquet as a stream. The file in the workspace, tracked or not; what is ' +
      'not there is taken from the cache or the remote. PATH@REVISION is the file as of a commit. Rows that cannot be ' +
      'read are counted and left out.',
    options: profileOptionDeclarations,
    examples: [
      ['mlv schema data/train.csv', 'what is in it'],
      ['mlv schema data/train.csv@v1.0 --json', 'as it was in a release, for a script'],
      ["mlv schema export.csv --delimiter ';' --columns age,country", 'two columns of a file'],
      ['mlv schema big.parquet --no-data', 'what its metadata says'],
    ],
    exits: [
      [4, 'the object is neither in the cache nor on the remote'],
      [5, 'the object is damaged'],
    ],
    load: () => import('../verbs/schema.js'),
  },
];
