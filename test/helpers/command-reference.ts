import type { Command } from 'commander';
import { VERB_GROUPS } from '../../src/cli/program.js';

/** docs/commands.md: one section a verb, with what its help says. */
export function commandReference(program: Command): string {
  const parts = [
    '# Commands',
    '',
    'Made from the declarations of the command line: `npx vitest run test/unit/cli-documents.test.ts -u` writes it anew.',
    '`mlv help <verb>` prints the same. What each verb prints with `--json` is in [json.md](json.md), the exit codes are',
    'in [exit-codes.md](exit-codes.md).',
    '',
    '## mlv',
    '',
    ...fenced(helpOf(program)),
  ];
  for (const { title, verbs } of VERB_GROUPS) {
    parts.push('', `# ${title.replace(/:$/, '')}`);
    for (const verb of verbs.filter(({ hidden }) => !hidden)) {
      const name = verb.usage.split(' ')[0] as string;
      const command = program.commands.find((each) => each.name() === name) as Command;
      parts.push(...section(command, `mlv ${name}`));
      for (const inner of command.commands) parts.push(...section(inner, `mlv ${name} ${inner.name()}`));
    }
  }
  return `${parts.join('\n')}\n`;
}

function section(command: Command, title: string): string[] {
  return ['', `## ${title}`, '', ...fenced(helpOf(command))];
}

function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({
    writeOut: (part) => {
      text += part;
    },
    getOutHelpWidth: () => 110,
    getOutHasColors: () => false,
  });
  command.outputHelp();
  return text.trim();
}

function fenced(text: string): string[] {
  return ['```text', text, '```'];
}
