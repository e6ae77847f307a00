import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { cleanEnvironment } from './cli.js';
import { temporaryDirectory } from './temporary-directory.js';

/** What a step of a workflow did. */
export interface StepOutcome {
  /** The step's name, or the first comment above it. */
  name: string;
  exitCode: number;
  output: string;
}

/** A machine of a CI host: runs the shell steps of a workflow in a clone, with a tool of the host that only takes notes. */
export class CiMachine {
  private readonly directory = temporaryDirectory('ci');
  private readonly calls: string;
  readonly environment: NodeJS.ProcessEnv;

  /** `tool` is the program of the host that is not there: what it is told is noted, and it answers `answer`. */
  constructor(
    private readonly clone: string,
    { tool, answer = '' }: { tool: string; answer?: string },
  ) {
    const bin = join(this.directory, 'bin');
    const prefix = join(this.directory, 'prefix');
    for (const each of [bin, prefix]) mkdirSync(each, { recursive: true });
    this.calls = join(this.directory, 'calls');
    writeFileSync(this.calls, '');
    writeFileSync(join(bin, tool), fake(this.calls, answer));
    chmodSync(join(bin, tool), 0o755);
    const paths = [bin, join(prefix, 'bin'), process.env.PATH ?? ''];
    this.environment = cleanEnvironment({
      PATH: paths.join(delimiter),
      npm_config_prefix: prefix,
      npm_config_cache: join(this.directory, 'npm'),
      npm_config_ignore_scripts: 'true',
      npm_config_offline: 'true',
      npm_config_update_notifier: 'false',
    });
  }

  /** What the host's tool was told, call by call. */
  get told(): string {
    return readFileSync(this.calls, 'utf8');
  }

  /** Runs one script as the hosts do: until the first command that fails. */
  run(name: string, script: string, variables: Readonly<Record<string, string>>): StepOutcome {
    const file = join(this.directory, 'step.sh');
    writeFileSync(file, script);
    const env = { ...this.environment, ...variables };
    const { status, stdout, stderr } = spawnSync('bash', ['--noprofile', '--norc', '-eo', 'pipefail', file], {
      cwd: this.clone,
      env,
      encoding: 'utf8',
    });
    return { name, exitCode: status ?? 255, output: stdout + stderr };
  }
}

/** Notes the arguments and standard input, and the file that a body is taken of. */
function fake(calls: string, answer: string): string {
  return [
    '#!/bin/bash',
    `{ printf '%s\\n' "$*"; if [ ! -t 0 ]; then cat; fi; } >> '${calls}'`,
    `for word in "$@"; do case "$word" in body=@*|body@*) cat "\${word#*@}" ;; esac; done >> '${calls}'`,
    `case "$*" in *--jq*|*per_page*) printf '%s' '${answer}' ;; esac`,
    '',
  ].join('\n');
}

/** The package of this repository, as npm installs it from a directory. */
export const MLV_PACKAGE = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

interface GithubStep {
  name?: string;
  uses?: string;
  run?: string;
  env?: Record<string, string>;
}

interface GithubWorkflow {
  permissions: Record<string, string>;
  env: Record<string, string>;
  jobs: Record<string, { env?: Record<string, string>; permissions?: Record<string, string>; steps: GithubStep[] }>;
}

/** A workflow of GitHub as it is read there. */
export function readGithub(text: string): GithubWorkflow {
  return parse(text) as GithubWorkflow;
}

/** Runs the `run:` steps of a job, all of them; `expressions` are what stands between `${{` and `}}`. */
export function runGithubJob(
  machine: CiMachine,
  { workflow, job }: { workflow: GithubWorkflow; job: string },
  expressions: Readonly<Record<string, string>>,
): StepOutcome[] {
  const { env = {}, steps = [] } = workflow.jobs[job] ?? {};
  const filled = (values: Readonly<Record<string, string>>): Record<string, string> =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [name, fill(String(value), expressions)]));
  return steps.flatMap((step) => {
    if (step.run === undefined) return [];
    if (step.run.includes('${{')) throw new Error(`an expression stands in the script of '${step.name}'`);
    const variables = { ...filled(workflow.env), ...filled(env), ...filled(step.env ?? {}) };
    return [machine.run(step.name ?? '', step.run, variables)];
  });
}

function fill(text: string, expressions: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$\{\{ (.*?) \}\}/g, (_, expression: string) => {
    const value = expressions[expression];
    if (value === undefined) throw new Error(`what is '${expression}'?`);
    return value;
  });
}

interface GitlabJob {
  before_script?: string[];
  script: string[];
  variables?: Record<string, string>;
}

/** Runs `before_script` and `script` of a job of GitLab, what it extends included, all of it. */
export function runGitlabJob(
  machine: CiMachine,
  { text, job }: { text: string; job: string },
  given: Readonly<Record<string, string>>,
): StepOutcome[] {
  const file = parse(text) as Record<string, GitlabJob & { extends?: string }>;
  const own = file[job] as GitlabJob & { extends?: string };
  const base = (file[own.extends ?? ''] ?? {}) as GitlabJob;
  const declared = { ...base.variables, ...own.variables };
  const variables: Record<string, string> = { ...given };
  for (const [name, value] of Object.entries(declared)) {
    variables[name] ??= String(value).replaceAll(/\$(\w+)/g, (_, each: string) => variables[each] ?? '');
  }
  const scripts = [...(base.before_script ?? []), ...own.script];
  return scripts.map((script, at) => machine.run(`${job} ${at + 1}`, script, variables));
}
