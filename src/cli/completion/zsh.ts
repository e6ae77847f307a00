import { type CompletedVerb, valueOptions } from './tree.js';

/** The script for zsh: put it into a directory of `$fpath` as `_mlv`, or source it after `compinit`. */
export function zshCompletion(tree: readonly CompletedVerb[]): string {
  const paths = tree.filter(({ path }) => path !== '').map(({ path }) => `'${path}'`);
  return `#compdef mlv
# zsh completion for mlv; made by \`mlv completion zsh\`
_mlv() {
  local verb_path='' word files='' registry=''
  local -a verbs options found
  integer index=2
  while ((index < CURRENT)); do
    word=\${words[index]}
    case "$word" in
      (--) _files; return ;;
      (${valueOptions(tree).join('|')}) ((index++)) ;;
      (-*) ;;
      (*)
        case "\${verb_path:+$verb_path }$word" in
          (${paths.join('|')}) verb_path="\${verb_path:+$verb_path }$word" ;;
        esac
        ;;
    esac
    ((index++))
  done
  case "$verb_path" in
${tree.map(zshCase).join('\n')}
  esac
  if [[ $PREFIX == -* ]]; then
    _describe -o option options
    return
  fi
  (($#verbs)) && _describe verb verbs
  if [[ -n $registry ]]; then
    found=(\${(f)"$(mlv complete -- "\${(j: :)words[1,CURRENT]}" 2> /dev/null)"})
    if [[ \${found[1]} == *@ ]]; then compadd -S '' -a found; else compadd -a found; fi
  fi
  [[ -n $files ]] && _files
}
if [[ $funcstack[1] == _mlv ]]; then _mlv "$@"; else compdef _mlv mlv; fi
`;
}

function zshCase({ path, verbs, options, words, files, registry }: CompletedVerb): string {
  const names = [...verbs.map(({ name, summary }) => described(name, summary)), ...words.map((word) => quoted(word))];
  const flags = options.flatMap(({ short, long, description }) =>
    [short, long].filter((each) => each !== undefined).map((name) => described(name, description)),
  );
  return `    ('${path}') verbs=(${names.join(' ')}) options=(${flags.join(' ')}) files='${files ? 1 : ''}' registry='${registry ? 1 : ''}' ;;`;
}

function described(name: string, description: string): string {
  return quoted(`${name.replaceAll(':', '\\:')}:${description}`);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
