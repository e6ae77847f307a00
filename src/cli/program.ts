import { Command, CommanderError, Option } from 'commander';
import { isMlvError, MlvError } from '../core/errors.js';
import { calledVerb } from './called-verb.js';
import { aboutVerbs } from './declarations/about.js';
import { ciVerbs } from './declarations/ci.js';
import { dataVerbs } from './declarations/data.js';
import { elsewhereVerbs } from './declarations/elsewhere.js';
import { hookVerbs } from './declarations/hooks.js';
import { interopVerbs } from './declarations/interop.js';
import { migrationVerbs } from './declarations/migration.js';
import { provenanceVerbs } from './declarations/provenance.js';
import { registryQuestionVerbs } from './declarations/registry-questions.js';
import { registrySharingVerbs } from './declarations/registry-sharing.js';
import { registryStageVerbs } from './declarations/registry-stages.js';
import { registryVersionVerbs } from './declarations/registry-versions.js';
import { settingVerbs } from './declarations/settings.js';
import { spaceVerbs } from './declarations/space.js';
import { transferVerbs } from './declarations/transfer.js';
import { workspaceVerbs } from './declarations/workspace.js';
import type { Call } from './execute.js';
import type { Globals } from './session.js';
import type { OptionValue, VerbDeclaration } from './verb.js';

/** What a command line asks for: a verb to be run, or a text (help, version) to be printed. */
export type Parsed = Call | { text: string };

/** Every verb, in groups as the help shows them. */
export const VERB_GROUPS: readonly { title: string; verbs: readonly VerbDeclaration[] }[] = [
  { title: 'Track data:', verbs: workspaceVerbs },
  { title: 'Share data:', verbs: transferVerbs },
  { title: 'Free space:', verbs: spaceVerbs },
  { title: 'Take data from elsewhere:', verbs: elsewhereVerbs },
  {
    title: 'Register models:',
    verbs: [...registryVersionVerbs, ...registryQuestionVerbs, ...registryStageVerbs, ...registrySharingVerbs],
  },
  { title: 'Record how things came to be:', verbs: [...provenanceVerbs, ...dataVerbs] },
  { title: 'Exchange with other tools:', verbs: [...interopVerbs, ...migrationVerbs] },
  { title: 'Live in Git:', verbs: [...hookVerbs, ...ciVerbs] },
  { title: 'Configure:', verbs: settingVerbs },
  { title: 'About mlv:', verbs: aboutVerbs },
];

/** Most columns that help takes; bin/mlv.js prints the text of write-help.ts on terminals of at least that width. */
const HELP_COLUMNS = 100;

/**
 * Reads a command line without the program's own name. Error: `USAGE` with what is wrong, and a suggestion where a verb
 * or option is misspelled.
 */
export async function parseCommandLine(argv: readonly string[]): Promise<Parsed> {
  const named = verbNamed(argv);
  if (named === undefined) return parse(argv);
  try {
    return await parse(argv, [named]);
  } catch (error) {
    // What is wrong, and what is near it, is said with all verbs known.
    if (isMlvError(error, 'USAGE')) return parse(argv);
    throw error;
  }
}

/** The verb that a command line calls or asks about, where there is one: it is declared sooner than all of them. */
function verbNamed(argv: readonly string[]): string | undefined {
  const words = argv[0] === 'help' ? argv.slice(1) : argv;
  const name = words.find((word, at) => !word.startsWith('-') && !/^-[Cc]$/.test(words[at - 1] ?? ''));
  return VERB_GROUPS.some(({ verbs }) => verbs.some((verb) => nameOf(verb) === name)) ? name : undefined;
}

async function parse(argv: readonly string[], names?: readonly string[]): Promise<Parsed> {
  let called: Call | undefined;
  let printed = '';
  const separator = argv.indexOf('--');
  const program = buildProgram((declaration, command) => {
    const afterSeparator = separator < 0 ? undefined : argv.length - separator - 1;
    const { args } = command;
    const options = command.opts<Record<string, OptionValue>>();
    const input = { args, options, afterSeparator, program: () => buildProgram() };
    called = { declaration, globals: globalsOf(program), input };
  }, names);
  captureOutput(program, (text) => {
    printed += text;
  });
  try {
    await program.parseAsync(rewritten(argv, program), { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode !== 0) {
      const { usageError } = await import('./usage-error.js');
      throw usageError(error, calledVerb(argv, program));
    }
  }
  return called ?? { text: printed };
}

/**
 * The program with all verbs (or those of the given names) and options; `onCall` is told which verb was called. Nothing
 * is run.
 */
export function buildProgram(
  onCall: (declaration: VerbDeclaration, command: Command) => void = () => {},
  names?: readonly string[],
): Command {
  const program = new Command('mlv');
  program
    .description('Large files and directories beside Git: content in a cache and on remotes, small pointers in Git.')
    .usage('[options] <verb> [operands...]')
    .configureHelp({ sortSubcommands: false, showGlobalOptions: false })
    .helpOption('-h, --help', 'show help')
    .helpCommand(false)
    .showSuggestionAfterError(true)
    .exitOverride();
  for (const option of globalOptions()) program.addOption(option);
  for (const { title, verbs } of VERB_GROUPS) {
    for (const verb of verbs) {
      if (names?.includes(nameOf(verb)) ?? true) addVerb(program, verb, { onCall, group: title });
    }
  }
  program.addHelpText(
    'after',
    '\n`mlv help <verb>` shows more on one verb, with examples. Exit codes: docs/exit-codes.md\n',
  );
  return program;
}

/** The first word of its usage, as commander takes it. */
function nameOf({ usage }: VerbDeclaration): string {
  return usage.split(' ', 1)[0] as string;
}

function appended(value: string, before: readonly string[] | true = []): string[] {
  // An option whose value may be left out was given without one before.
  return before === true ? [value] : [...before, value];
}

function globalOptions(): Option[] {
  return [
    new Option('--json', 'print one JSON document'),
    new Option('-q, --quiet', 'print errors and what was asked for, nothing else'),
    new Option('-C <directory>', 'run as if started in this directory').argParser(appended).default([], 'here'),
    new Option('-c <key=value>', 'set a configuration value for this run').argParser(appended).default([], 'none'),
    new Option('--no-color', 'print without colours'),
    new Option('--no-progress', 'show no progress'),
    new Option('--debug', 'print stacks with errors'),
    new Option('-V, --version', 'print the version'),
  ];
}

function addVerb(
  parent: Command,
  verb: VerbDeclaration,
  options: { onCall: (verb: VerbDeclaration, command: Command) => void; group?: string },
): void {
  const { onCall, group } = options;
  const command = parent.command(verb.usage, { hidden: verb.hidden ?? false }).summary(verb.summary);
  command.description([`${verb.summary}.`, verb.description].filter(Boolean).join('\n\n'));
  if (group) command.helpGroup(group);
  for (const { flags, description, choices, many } of verb.options ?? []) {
    const option = new Option(flags, description);
    if (choices) option.choices([...choices]);
    command.addOption(many ? option.argParser(appended) : option);
  }
  for (const inner of verb.verbs ?? []) addVerb(command, inner, { onCall });
  if (verb.verbs) command.helpCommand(false);
  if (verb.load) command.action(() => onCall(verb, command));
  const after = helpAfter(verb);
  if (after !== '') command.addHelpText('after', after);
}

/** A verb that only holds others shows the first example of each. */
function examplesOf({ examples, load, verbs = [] }: VerbDeclaration): VerbDeclaration['examples'] {
  return examples ?? (load ? [] : verbs.flatMap((verb) => verb.examples?.slice(0, 1) ?? []));
}

function helpAfter(verb: VerbDeclaration): string {
  const { exits = [] } = verb;
  const examples = examplesOf(verb) ?? [];
  const lines: string[] = [];
  if (examples.length > 0) {
    const width = Math.max(...examples.map(([command]) => command.length));
    lines.push('', 'Examples:', ...examples.map(([command, purpose]) => `  ${command.padEnd(width)}  ${purpose}`));
  }
  if (exits.length > 0) lines.push('', 'Exit codes:', ...exits.map(([code, meaning]) => `  ${code}  ${meaning}`));
  return lines.join('\n');
}

function captureOutput(command: Command, write: (text: string) => void): void {
  // Help that goes to a pipe must not depend on a terminal, and longer lines are hard to read.
  const columns = Math.min(process.stdout.columns || HELP_COLUMNS, HELP_COLUMNS);
  command.configureOutput({
    writeOut: write,
    writeErr: () => {},
    getOutHelpWidth: () => columns,
    getOutHasColors: () => false,
  });
  for (const inner of command.commands) captureOutput(inner, write);
}

/** `mlv`, `mlv help` and `mlv help remote add` ask for what `--help` prints; `--version` is a verb's other name. */
function rewritten(argv: readonly string[], program: Command): string[] {
  if (argv.length === 0) return ['--help'];
  if (argv[0] === 'help') return helpOn(argv.slice(1), program);
  const first = argv.findIndex((word) => !word.startsWith('-'));
  const leading = first < 0 ? argv : argv.slice(0, first);
  if (!leading.includes('--version') && !leading.includes('-V')) return withOwnVersion(argv, program);
  return ['version', ...argv.filter((word) => word === '--json')];
}

/**
 * Where a verb has a `--version` of its own that takes a number, the number is joined to it: commander would take the
 * option for the program's.
 */
function withOwnVersion(argv: readonly string[], program: Command): string[] {
  const { command } = calledVerb(argv, program);
  const at = argv.indexOf('--version');
  const end = argv.indexOf('--');
  const takesOne = command.options.some((option) => option.long === '--version' && option.required);
  if (!takesOne || at < 0 || (end >= 0 && end < at) || argv[at + 1] === undefined) return [...argv];
  return [...argv.slice(0, at), `--version=${argv[at + 1]}`, ...argv.slice(at + 2)];
}

function helpOn(words: readonly string[], program: Command): string[] {
  const verbs = words.filter((word) => !word.startsWith('-'));
  let command: Command | undefined = program;
  for (const verb of verbs) {
    command = command.commands.find((each) => each.name() === verb);
    // Without --help, the program itself says what is wrong, and what is near.
    if (!command) return [...verbs];
  }
  return [...verbs, '--help'];
}

function globalsOf(program: Command): Globals {
  const options = program.opts<Record<string, unknown>>();
  return {
    json: options.json === true,
    quiet: options.quiet === true,
    debug: options.debug === true,
    color: options.color !== false,
    progress: options.progress !== false,
    directories: options.C as string[],
    settings: Object.fromEntries((options.c as string[]).map(assignment)),
  };
}

function assignment(text: string): [string, string] {
  const equals = text.indexOf('=');
  if (equals > 0) return [text.slice(0, equals), text.slice(equals + 1)];
  throw new MlvError('USAGE', `'-c ${text}' is not an assignment`, {
    hint: 'write it as -c core.jobs=4; what belongs to a command that is run stands behind --',
  });
}
