/**
 * Reads a Dockerfile and judges it by the rules that images of this project keep: what hadolint would say of the points that
 * matter here. Knows the instructions, continued lines and comments of one; no heredocs, no escape directive.
 */

export interface Instruction {
  /** In capitals: `RUN`. */
  readonly name: string;
  /** All that stands behind the name, on one line. */
  readonly text: string;
  readonly line: number;
}

export interface BuildStage {
  readonly image: string;
  /** Behind `AS`. */
  readonly name?: string;
  readonly instructions: readonly Instruction[];
}

/** @throws Error when something stands before the first FROM, or a line is no instruction. */
export function parseDockerfile(text: string): readonly BuildStage[] {
  const stages: { image: string; name?: string; instructions: Instruction[] }[] = [];
  for (const instruction of instructionsOf(text)) {
    const [image = '', as = '', name] = instruction.text.split(/\s+/);
    if (instruction.name === 'FROM')
      stages.push({ image, ...(as.toUpperCase() === 'AS' && name !== undefined && { name }), instructions: [] });
    else if (stages.length === 0) throw new Error(`line ${instruction.line}: expected FROM, found ${instruction.name}`);
    else stages.at(-1)?.instructions.push(instruction);
  }
  return stages;
}

function instructionsOf(text: string): Instruction[] {
  const instructions: Instruction[] = [];
  let begun: { text: string; line: number } | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    // A comment between continued lines is none of the command.
    if (/^\s*(#|$)/.test(line)) continue;
    begun = { text: `${begun?.text ?? ''}${line.replace(/\\$/, '')}`, line: begun?.line ?? index + 1 };
    if (line.endsWith('\\')) continue;
    const [, name, rest = ''] = /^\s*([A-Za-z]+)\s+(.*)$/.exec(begun.text) ?? [];
    if (name === undefined) throw new Error(`line ${begun.line}: expected an instruction, found ${begun.text}`);
    instructions.push({ name: name.toUpperCase(), text: rest.replace(/\s+/g, ' ').trim(), line: begun.line });
    begun = undefined;
  }
  if (begun) throw new Error(`line ${begun.line}: expected an end of the instruction, found none`);
  return instructions;
}

/** A tag that names one release: three numbers, or a digest. */
export const isPinned = (image: string): boolean =>
  /^[a-z0-9./_-]+:v?\d+\.\d+\.\d+[\w.-]*$/.test(image) || /@sha256:[0-9a-f]{64}$/.test(image);

/** What is wrong, a line each; none is as it should be. */
export function lintDockerfile(text: string): readonly string[] {
  const stages = parseDockerfile(text);
  const all = stages.flatMap(({ instructions }) => instructions);
  return [...stages.flatMap(imageFaults(stages)), ...all.flatMap(instructionFaults), ...userFaults(stages.at(-1))];
}

const imageFaults =
  (stages: readonly BuildStage[]) =>
  ({ image }: BuildStage): string[] =>
    isPinned(image) || stages.some(({ name }) => name === image) ? [] : [`${image}: expected a pinned release`];

const fault = ({ line, name }: Instruction, what: string): string[] => [`line ${line}: ${name}: ${what}`];

function instructionFaults(instruction: Instruction): string[] {
  const { name, text } = instruction;
  const found: string[] = [];
  if (name === 'ADD') found.push(...fault(instruction, 'COPY says what it does, and fetches nothing'));
  if (name === 'ENTRYPOINT' || name === 'CMD') {
    if (!text.startsWith('[')) found.push(...fault(instruction, 'the JSON form, so that signals reach the program'));
  }
  if (/^(ENV|ARG)$/.test(name) && /(SECRET|PASSWORD|TOKEN|API_?KEY)\w*=/i.test(text))
    found.push(...fault(instruction, 'a secret would stay in the image'));
  if (name === 'RUN') found.push(...commandFaults(instruction));
  return found;
}

function commandFaults(instruction: Instruction): string[] {
  const { text } = instruction;
  const found: string[] = [];
  if (/\bsudo\b/.test(text)) found.push(...fault(instruction, 'no sudo'));
  if (/\b(curl|wget)\b/.test(text)) found.push(...fault(instruction, 'nothing is fetched without a pinned digest'));
  if (/\bnpm (install|i)\b/.test(text)) found.push(...fault(instruction, 'npm ci, which keeps to the lockfile'));
  if (/apt-get install/.test(text)) {
    if (!/apt-get update &&/.test(text)) found.push(...fault(instruction, 'apt-get update in the same layer'));
    if (!text.includes('--no-install-recommends')) found.push(...fault(instruction, '--no-install-recommends'));
    if (!text.includes('--yes')) found.push(...fault(instruction, '--yes'));
    if (!text.endsWith('rm -rf /var/lib/apt/lists/*')) found.push(...fault(instruction, 'apt lists left behind'));
  }
  return found;
}

function userFaults(last: BuildStage | undefined): string[] {
  const users = last?.instructions.filter(({ name }) => name === 'USER') ?? [];
  const user = users.at(-1);
  if (user === undefined || /^(root|0)(:|$)/.test(user.text)) return ['the image runs as root'];
  const later = last?.instructions.filter(({ name, line }) => name === 'RUN' && line > user.line) ?? [];
  return later.flatMap((run) => fault(run, 'after USER'));
}
