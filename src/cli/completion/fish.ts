import { type CompletedOption, type CompletedVerb, valueOptions } from './tree.js';

/** The script for fish: put it into `~/.config/fish/completions/mlv.fish`, or source it. */
export function fishCompletion(tree: readonly CompletedVerb[]): string {
  const paths = tree.filter(({ path }) => path !== '').map(({ path }) => quoted(path));
  return `# fish completion for mlv; made by \`mlv completion fish\`
function __mlv_path
  set -l path
  set -l skip 0
  for word in (commandline -opc)[2..-1]
    if test $skip = 1
      set skip 0
      continue
    end
    switch $word
      case ${valueOptions(tree).map(quoted).join(' ')}
        set skip 1
      case '-*'
      case '*'
        if contains -- (string join ' ' $path $word) ${paths.join(' ')}
          set path $path $word
        end
    end
  end
  string join ' ' $path
end
function __mlv_at
  test (string join ' ' (__mlv_path)) = "$argv[1]"
end
complete -c mlv -f
${tree.flatMap(fishLines).join('\n')}
`;
}

function fishLines({ path, verbs, options, words, files, registry }: CompletedVerb): string[] {
  const at = `complete -c mlv -n ${quoted(`__mlv_at ${quoted(path)}`)}`;
  return [
    ...verbs.map(({ name, summary }) => `${at} -a ${quoted(name)} -d ${quoted(summary)}`),
    ...words.map((word) => `${at} -a ${quoted(word)}`),
    ...(files ? [`${at} -F`] : []),
    ...(registry ? [`${at} -a '(mlv complete -- (commandline -cp) 2> /dev/null)'`] : []),
    ...options.map((option) => `${at} ${fishOption(option)}`),
  ];
}

function fishOption({ short, long, description, takesValue, choices }: CompletedOption): string {
  const names = [...(short ? [`-s ${short.slice(1)}`] : []), ...(long ? [`-l ${long.slice(2)}`] : [])];
  const value = !takesValue ? [] : choices.length > 0 ? [`-x -a ${quoted(choices.join(' '))}`] : ['-r'];
  return [...names, ...value, `-d ${quoted(description)}`].join(' ');
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
