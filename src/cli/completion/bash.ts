import { type CompletedVerb, valueOptions } from './tree.js';

/** The script for bash 3.2 and newer: `source` it. */
export function bashCompletion(tree: readonly CompletedVerb[]): string {
  const paths = tree.filter(({ path }) => path !== '').map(({ path }) => `'${path}'`);
  return `# bash completion for mlv; made by \`mlv completion bash\`
_mlv() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD - 1]}"
  local path='' word words='' options='' files='' registry='' literal='' index
  for ((index = 1; index < COMP_CWORD; index++)); do
    word="\${COMP_WORDS[index]}"
    case "$word" in
      --) literal=1; break ;;
      ${valueOptions(tree).join('|')}) ((index++)) ;;
      -*) ;;
      *)
        case "\${path:+$path }$word" in
          ${paths.join('|')}) path="\${path:+$path }$word" ;;
        esac
        ;;
    esac
  done
  case "$path" in
${tree.map(bashCase).join('\n')}
  esac
  COMPREPLY=()
  if [[ -z $literal ]]; then
    local choices=''
    case "$path $previous" in
${choiceCases(tree)}
    esac
    if [[ -n $choices ]]; then
      COMPREPLY=($(compgen -W "$choices" -- "$current"))
      return
    fi
    if [[ $current == -* ]]; then
      COMPREPLY=($(compgen -W "$options" -- "$current"))
      return
    fi
    COMPREPLY=($(compgen -W "$words" -- "$current"))
    if [[ -n $registry ]]; then
      # bash takes the @ in model@version for the end of a word.
      local line="\${COMP_LINE:0:COMP_POINT}"
      local typed="\${line##*[[:space:]]}"
      local before="\${typed%"$current"}"
      COMPREPLY=($(compgen -W "$(mlv complete -- "$line" 2> /dev/null)" -- "$typed"))
      COMPREPLY=("\${COMPREPLY[@]#"$before"}")
      [[ \${COMPREPLY[0]} == *@ ]] && compopt -o nospace 2> /dev/null
      return 0
    fi
  fi
  if [[ -n $files || -n $literal ]]; then
    local IFS=$'\\n'
    compopt -o filenames 2> /dev/null
    COMPREPLY+=($(compgen -f -- "$current"))
  fi
}
complete -F _mlv mlv
`;
}

function bashCase({ path, verbs, options, words, files, registry }: CompletedVerb): string {
  const names = [...verbs.map(({ name }) => name), ...words].join(' ');
  const flags = options.flatMap(({ short, long }) => [short, long]).filter((each) => each !== undefined);
  return `    '${path}') words='${names}' options='${flags.join(' ')}' files='${files ? 1 : ''}' registry='${registry ? 1 : ''}' ;;`;
}

function choiceCases(tree: readonly CompletedVerb[]): string {
  const lines = tree.flatMap(({ path, options }) =>
    options
      .filter(({ choices }) => choices.length > 0)
      .map(({ short, long, choices }) => {
        const names = [short, long].filter((each) => each !== undefined).map((name) => `'${path} ${name}'`);
        return `      ${names.join('|')}) choices='${choices.join(' ')}' ;;`;
      }),
  );
  return lines.length > 0 ? lines.join('\n') : "      '') ;;";
}
