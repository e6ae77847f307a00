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
  {
    usage: 'annotate <path>',
    summary: 'Say where tracked data came from',
    description:
      'Kept in the pointer, which belongs in Git. What is given replaces what was said of it before; the rest stays. Without ' +
      'options, or with --show, shows what is said. A URL with a credential is refused.',
    options: [
      { flags: '--url <url>', description: 'where it came from', many: true },
      { flags: '--from <date>', description: 'the time it is of: 2024-01-31, 2024-01, 2024 or a timestamp' },
      { flags: '--to <date>', description: 'the end of that time' },
      { flags: '--filter <text>', description: 'what was taken of the origin', many: true },
      { flags: '--licence <spdx>', description: 'SPDX expression, such as CC-BY-4.0 or LicenseRef-ours' },
      { flags: '--procedure <text>', description: 'how it was labelled' },
      { flags: '--schema', description: 'columns and types of the file, found out now' },
      { flags: '--set <name=value>', description: 'anything else', many: true },
      { flags: '--unset <name>', description: 'say no more of it', many: true },
      { flags: '--show', description: 'change nothing' },
      { flags: '--stage', description: 'stage the pointer in Git (git add)' },
      { flags: '--no-stage', description: 'leave the Git index alone, whatever core.stage says' },
    ],
    examples: [
      ['mlv annotate data/ --url https://doi.org/10.24432/C50P49 --licence CC-BY-4.0', 'the origin'],
      ["mlv annotate sales.csv --from 2024-01 --to 2024-06 --filter 'country = NL' --schema", 'which part of it'],
      ["mlv annotate labels/ --procedure 'two annotators, a third decides' --set team=vision", 'how it was made'],
      ['mlv annotate data/ --show --json', 'what is said, for a script'],
    ],
    exits: [
      [4, 'with --schema: the object is neither in the cache nor on the remote'],
      [5, 'the pointer cannot be read'],
    ],
    careful: true,
    load: () => import('../verbs/annotate.js'),
  },
];
