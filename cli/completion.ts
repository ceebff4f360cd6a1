/** `nightstill completion`: a script for a shell, made from the table of the commands. */
import { commonExits, defineCommand, exitStatus, UsageError, type Command, type Offer } from './command.js';

type Shell = keyof typeof writers;

const writers = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;

export const completionCommand = (others: () => readonly Command[]): Command =>
  defineCommand({
    name: 'completion',
    group: 'machines',
    summary: 'print a completion script for bash, zsh or fish',
    about: 'Prints a script that completes verbs, flags, and their values.',
    words: [{ name: 'shell', offers: Object.keys(writers) }],
    flags: {},
    closing: `  bash   source <(nightstill completion bash)
  zsh    source <(nightstill completion zsh)
  fish   nightstill completion fish | source`,
    exits: { 0: 'printed', 2: commonExits[2] },
    run: ({ words: [shell = ''] }) => {
      if (!isShell(shell)) throw new UsageError(`expected ${Object.keys(writers).join(', ')}, found "${shell}"`);
      process.stdout.write(writers[shell](others()));
      return Promise.resolve(exitStatus.ok);
    },
  });

const isShell = (name: string): name is Shell => Object.hasOwn(writers, name);

const flagsOf = ({ flags }: Command): string[] => [...Object.keys(flags).map((name) => `--${name}`), '--help'];
const valued = ({ flags }: Command) =>
  Object.entries(flags).flatMap(([name, { value, offers }]) => (value === undefined ? [] : [[name, offers] as const]));

/** What bash is to run for an offer; `$word` is what has been typed. */
function bashOffer(offer: Offer | undefined): string {
  if (offer === undefined) return ':';
  if (offer === 'file') return 'compgen -f -- "$word"';
  if (offer === 'plan') return `compgen -d -S / -- "$word"; compgen -f -X '!*.@(yaml|yml|json)' -- "$word"`;
  return offer === 'directory' ? 'compgen -d -- "$word"' : `compgen -W '${offer.join(' ')}' -- "$word"`;
}

function bashScript(commands: readonly Command[]): string {
  const cases = commands.map((command) => {
    const values = valued(command).map(([name, offer]) => `        --${name}) offers=$(${bashOffer(offer)}) ;;`);
    return `    ${command.name})
      case $before in
${[...values, `        *) if [[ $word == -* ]]; then offers=$(compgen -W '${flagsOf(command).join(' ')}' -- "$word")`].join('\n')}
           else offers=$(${bashOffer(command.words.find(({ offers }) => offers)?.offers)}); fi ;;
      esac ;;`;
  });
  return `# bash completion of nightstill
_nightstill() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} offers='' extglob
  extglob=$(shopt -p extglob); shopt -s extglob
  if (( COMP_CWORD == 1 )); then
    offers=$(compgen -W '${commands.map(({ name }) => name).join(' ')} --help --version' -- "$word")
  else case \${COMP_WORDS[1]} in
${cases.join('\n')}
  esac; fi
  eval "$extglob"
  local IFS=$'\\n'
  COMPREPLY=($offers)
  [[ \${#COMPREPLY[@]} == 1 && \${COMPREPLY[0]} == */ ]] && compopt -o nospace 2>/dev/null
  return 0
}
complete -o filenames -F _nightstill nightstill
`;
}

const quoteZsh = (text: string): string =>
  text.replaceAll(/['[\]:]/g, (sign) => (sign === "'" ? `'\\''` : `\\${sign}`));

function zshOffer(offer: Offer | undefined): string {
  if (offer === undefined) return '';
  if (offer === 'plan') return `_files -g "*.(yaml|yml|json)"`;
  if (offer === 'file') return '_files';
  return offer === 'directory' ? '_files -/' : `(${offer.join(' ')})`;
}

function zshScript(commands: readonly Command[]): string {
  const cases = commands.map((command) => {
    const flags = Object.entries(command.flags).map(
      ([name, { summary, value, offers }]) =>
        `'--${name}[${quoteZsh(summary)}]${value === undefined ? '' : `:${quoteZsh(value)}:${zshOffer(offers)}`}'`,
    );
    const words = command.words.map(
      ({ name, repeated, offers }) => `'${repeated ? '*' : ''}:${name}:${zshOffer(offers)}'`,
    );
    return `    ${command.name}) _arguments ${[...flags, "'--help[explain the verb]'", ...words].join(' ')} ;;`;
  });
  return `#compdef nightstill
# zsh completion of nightstill
_nightstill() {
  local -a verbs=(
${commands.map(({ name, summary }) => `    '${name}:${quoteZsh(summary)}'`).join('\n')}
  )
  if (( CURRENT == 2 )); then _describe verb verbs; return; fi
  local verb=$words[2]
  words=("\${words[@]:1}"); (( CURRENT-- ))
  case $verb in
${cases.join('\n')}
  esac
}
compdef _nightstill nightstill
`;
}

const quoteFish = (text: string): string => text.replaceAll(/[\\']/g, (sign) => `\\${sign}`);

function fishOffer(offer: Offer | undefined): string {
  if (offer === undefined) return ' -x';
  if (offer === 'file' || offer === 'plan') return ' -r -F';
  return offer === 'directory' ? " -x -a '(__fish_complete_directories)'" : ` -x -a '${offer.join(' ')}'`;
}

function fishScript(commands: readonly Command[]): string {
  const lines = commands.flatMap((command) => {
    const here = `complete -c nightstill -n '__fish_seen_subcommand_from ${command.name}'`;
    return [
      `complete -c nightstill -n __fish_use_subcommand -f -a ${command.name} -d '${quoteFish(command.summary)}'`,
      ...command.words.flatMap(({ offers }) =>
        typeof offers === 'object' ? [`${here} -f -a '${offers.join(' ')}'`] : [],
      ),
      ...Object.entries(command.flags).map(
        ([name, { summary, value, offers }]) =>
          `${here} -l ${name} -d '${quoteFish(summary)}'${value === undefined ? ' -f' : fishOffer(offers)}`,
      ),
    ];
  });
  return `# fish completion of nightstill\n${lines.join('\n')}\n`;
}
