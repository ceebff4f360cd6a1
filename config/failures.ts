/**
 * The one table of everything that can go wrong: code → whose fault, whether the same call may succeed later, what to do.
 *
 * `fault: 'user'` means somebody must change an input, a setting or a permission; `fault: 'system'` means a machine, a
 * network or we ourselves failed. A code is public: it appears in Temporal histories, logs and `docs/errors.md` (which is
 * generated from this table), so it is never renamed. A code that is not in the table is treated as a system fault.
 */
export interface Failure {
  readonly fault: 'user' | 'system';
  /** May the same call, unchanged, succeed later? */
  readonly retryable: boolean;
  /** What the reader should do, as an imperative sentence. */
  readonly remedy: string;
  /** Nothing went wrong: something else must happen first. Attempts that end so are not counted. */
  readonly waits?: true;
}

const user = (remedy: string): Failure => ({ fault: 'user', retryable: false, remedy });
const system = (retryable: boolean, remedy: string): Failure => ({ fault: 'system', retryable, remedy });
const waiting = (remedy: string): Failure => ({ fault: 'system', retryable: true, remedy, waits: true });

export const failures = {
  // configuration
  'environment-invalid': user('Correct the environment variable that the message names.'),

  // object store: reaching it
  'store-url-invalid': user('Use file:///absolute/dir or s3://bucket/prefix?region=…&endpoint=…&forcePathStyle=true.'),
  'store-missing': user('Create the bucket or the directory first, or correct the store URL.'),
  'store-access-denied': user('Grant the credentials of this process the permission that the message names.'),
  'store-unavailable': system(true, 'Wait, or check the network and the health of the object store.'),
  'store-full': user('Free space in the object store, for example with a collection, or raise its quota.'),
  'store-not-atomic': user(
    'Use a store with atomic conditional writes (AWS S3, MinIO, versitygw 1.8, a local directory).',
  ),
  'object-key-invalid': user(
    'Use keys of 1 to 900 characters, of segments in A-Z a-z 0-9 . _ = - separated by single slashes.',
  ),
  'object-range-invalid': user('Ask for a range that begins inside the object.'),
  'object-missing': system(
    true,
    'Check that the object was not removed by hand; run the stage again to write it anew.',
  ),
  'object-exists': system(false, 'Read the object that is there; the write that lost has changed nothing.'),
  'object-changed': system(true, 'Read the object again and decide anew; the write that lost has changed nothing.'),
  'object-body-invalid': system(true, 'Leave the source of the bytes unchanged while it is written to the store.'),
  'object-damaged': system(true, 'Run the stage again: the damaged object is put aside and written anew.'),
  'operation-aborted': system(true, 'Nothing to do: the caller asked for the operation to end.'),

  // records, checkpoints, results
  'record-invalid': system(false, 'Restore the record that the message names, or remove it if it was written by hand.'),
  'record-version-unknown': user('Use a release of nightstill at least as new as the one that wrote this record.'),
  'stage-busy': waiting('Wait until the activity that holds the stage ends, or cancel its workflow.'),
  'fence-lost': system(true, 'Nothing to do: a successor has taken the stage over; this process must end.'),
  'stage-sealed': system(false, 'Read the result of the stage: it is finished.'),
  'checkpoint-out-of-order': system(false, 'Save steps in ascending order; this is a defect of the stage.'),
  'nondeterministic-stage': system(
    false,
    'Find what differs between two executions of the stage, or declare it not reproducible.',
  ),
  'champion-moved': system(
    false,
    'Decide anew against what serves now; in a run the gate does so by itself, up to three times.',
  ),
  'model-missing': user('Name a model that the store holds: a digest, or a run that ended with one.'),
  'alias-missing': user('Promote a model under this alias first.'),
  'digest-refused': user('Name the digest explicitly to promote a model that was rolled back.'),
  'collection-refused': system(false, 'Repair what the message names and collect again; nothing was deleted.'),

  // set-up
  'setup-part-unknown': user('Choose among the parts that `nightstill setup --help` lists.'),
  'setup-part-failed': system(
    true,
    'Read the line of each source above; install one of the sources it names and run setup again.',
  ),

  // processes of this machine
  'dev-start-failed': system(true, 'Read the log that the message names, remove the cause, and start again.'),
  'logs-missing': user('Go to the directory where `nightstill dev` or `nightstill run` was started.'),
  'model-unnamed': user('Name the node whose model is meant: --node.'),
  'proof-without-kill': user(
    'Train for more steps, so that a checkpoint is durable long before the end of a training.',
  ),
  'dev-running': user('Use the one that runs, end it first, or work in another directory.'),

  // stages
  'stages-invalid': user('Correct the stage, or the module of stages, that the message names.'),
  'stage-endless': user('Let the stage end when its signal is aborted, or give the worker more time to end.'),
  'data-converter-invalid': user('Export a data converter of Temporal from the module that the message names.'),
  'stage-stuck': system(
    false,
    'Read the failures of the attempts in the history of the run, remove their cause, and start the run again.',
  ),
  'numerics-unavailable': {
    ...user(
      'Run `nightstill setup tensorflow` where the stage runs, or write numerics that are there: `numerics: { runner: wasm }` ' +
        'needs no native part and is several times slower.',
    ),
    retryable: true,
  },
  'cores-held': waiting('Let the stopped processes that the message names go on (SIGCONT), or end them.'),
  'machine-differs': waiting(
    'Start a worker on a machine of the kind that the message names, or set onDifferentMachine to continue.',
  ),
  'artifact-invalid': system(false, 'Run the stage that made the artifact again: the message says what does not fit.'),
  'teacher-mismatch': user('Give a teacher whose tokenizer is that of the student, as the message says.'),
  'distribution-invalid': user(
    'Check the weights of the model, or compute in float32: its distributions are no probabilities.',
  ),
  'logits-invalid': user('Capture the logits again for this dataset and this tokenizer, as the message says.'),

  // teachers behind endpoints
  'secret-missing': user('Configure the io workers with the secret that the message names.'),
  'secret-host-refused': user('Name the host among those that the secret may go to, or correct the endpoint.'),
  'teacher-refused-key': user(
    'Give the workers a key that the endpoint takes, and that has the rights and the credit.',
  ),
  'teacher-missing': user('Correct the endpoint or the model of the teacher: nothing of that name is there.'),
  'teacher-unavailable': system(
    true,
    'Wait, or check the endpoint and the limits of the teacher (for silence: limits.timeout and maximumTokens); what it answered is kept.',
  ),
  'teacher-request-rejected': user('Shorten the prompt, or correct the options: the endpoint refuses this request.'),
  'teacher-reply-invalid': user('Correct the endpoint: what answers there does not speak the chat API of OpenAI.'),
  'teacher-model-mismatch': user('Correct the model of the teacher, or say in servedAs by which name it answers.'),
  'teacher-incapable': user(
    'Leave out the field that the message names (omittedFields of the teacher; for max_tokens, tokenLimitField), start nightstill serve with --idempotency-log where it refuses keys, or give another teacher.',
  ),
  'teacher-logprobs-missing': user(
    'Name a teacher that gives log-probabilities of prompts at /completions (vLLM, nightstill serve), correct form, or leave out capture.',
  ),
  'teacher-logprobs-capped': user(
    'Lower k of the capture to what the endpoint gives, or raise its limit (vLLM: --max-logprobs).',
  ),
  'capture-unaligned': user(
    'Look at what is counted by reason; give tokens by id (form: prompt_logprobs), shorten samples, or lower minimumAligned.',
  ),
  'answer-yield-too-low': user(
    'Look at what the teacher answered; change prompts or options, or lower minimumYield. What it answered is kept.',
  ),

  // plan and datasets
  'plan-invalid': user('Correct the field that the message names.'),
  'dataset-missing': user(
    'Correct the uri of the dataset, or give the worker permission to read it. A name of the day of the night has no file before that day is over: give it a window (`window: 7d`), or run the day later (`--date`).',
  ),
  'dataset-files-too-many': user(
    'Name fewer files with the dataset: a narrower glob, a shorter window, or fewer and larger files.',
  ),
  'dataset-empty': user('Give a dataset with at least one row.'),
  'dataset-row-invalid': user('Correct the row that the message names.'),
  'dataset-changed': user('Do not write to a dataset or a database while a run reads it; start the run again.'),

  // teachers
  'budget-exhausted': user(
    'Raise the cap that the message names, or wait for the next period where it is that of one, and start the run again: only what is missing is paid. The cap of a run is a new one in every run; that of a period is shared.',
  ),

  // evaluation
  'gate-invalid': user('Correct the gate of the plan: the message names what is there to choose from.'),
  'approval-invalid': user(
    'Name a node of the run that asks for an approval, and who decides: `nightstill approve <run>`.',
  ),
  'approval-not-open': user(
    'Look what the run waits for: `nightstill status <run>`. Nothing waits for this decision now.',
  ),
  'approval-mismatch': user('Look again at what the run asks, `nightstill approve <run>`, and decide on that.'),
  'approval-unanswered': system(
    true,
    'Start an orchestrator worker, `nightstill worker`, and send the decision again: the same decision counts once.',
  ),
  'approval-conflict': user(
    'Leave it: the first decision stands. `nightstill models rollback` takes a promotion back.',
  ),
  'gate-margin-too-small': user('Raise the margin, or give more items to evaluate on: the message says how many.'),
  'gate-items-too-few': user(
    'Give more items to evaluate on, or lower minItems of the requirement that the message names.',
  ),
  'evaluation-invalid': user('Correct the item or the table that the message names, and evaluate again.'),
  'scorers-invalid': user('Correct the scorer, or the module of scorers, that the message names.'),
  'scorer-missing': {
    ...user('Start every worker with the same module of scorers: `nightstill worker --scorers <module>`.'),
    retryable: true,
  },
  'scorer-failed': user('Correct the scorer: a bad answer is a low score, never an error. Then raise its version.'),
  'scorer-timeout': user('Let the scorer end, or give it a longer timeLimitMs. Then raise its version.'),
  'score-invalid': user('Let the scorer give a number as its kind says, and a text. Then raise its version.'),

  // engine: data
  'dataset-file-invalid': user('Write the file again: it is damaged, or not of the format that its name says.'),
  'sample-too-long': user('Shorten the sample, raise the limit, or choose a policy that truncates, splits or drops.'),
  'token-shards-invalid': system(false, 'Tokenise the dataset again: its shards are damaged or incomplete.'),
  'cursor-invalid': user(
    'Go on with the data and the settings that the cursor was made with, or start from the beginning.',
  ),

  // engine: programs
  'trace-reads-value': user('Compute with tensors only: pass what the function must know as an input or a number.'),
  'kernel-unsupported': user('Use the kernels that the message lists, or add an entry to engine/kernel-table.ts.'),
  'program-invalid': user('Correct the program: the message names its part, what was expected and what was found.'),
  'engine-unavailable': user('Run `nightstill setup`, or choose the wasm backend.'),
  'engine-failed': system(true, 'Read the message of TensorFlow above; lower the batch when memory ran out.'),

  // engine: training
  'training-diverged': user('Lower the learning rate or clip gradients: the message names the step.'),
  'divergence-negative': system(
    false,
    'Capture the logits again and report it: targets and student do not fit together.',
  ),
  'training-state-invalid': user('Restore a state of the same model and settings, or start anew.'),
  'training-setting-invalid': user('Correct the setting of the training that the message names.'),

  // engine: files of models
  'model-file-missing': user('Give a directory as Hugging Face writes it: config.json, safetensors, tokenizer.json.'),
  'model-changed': user('Do not write to a model directory while it is imported; start the run again.'),
  'model-config-invalid': user('Correct the field of the JSON file that the message names.'),
  'model-unsupported': user('Choose a model that does without what the message names.'),
  'model-weights-mismatch': user('Use the weights that belong to this config.json; the message names the tensors.'),
  'student-invalid': user('Choose a size or layers that the teacher can give, as the message says.'),
  'safetensors-invalid': user('Fetch or write the file again: it is damaged, or not what its name says.'),
  'output-exists': user('Choose another place, or remove what is there: nothing is overwritten.'),
  'output-failed': system(
    true,
    'Free space on the disk, or correct the place or its permissions, as the message says.',
  ),

  // engine: generation and scoring
  'inference-setting-invalid': user('Correct the setting or the field of the request that the message names.'),
  'sequence-too-long': user('Shorten the sequence, or load the model with room for more tokens.'),

  // engine: text
  'tokenizer-invalid': user('Correct the file of the tokenizer that the message names.'),
  'tokenizer-training-invalid': user('Correct what the message names: the vocabulary, a special token, or the texts.'),
  'chat-template-invalid': user('Correct the chat template, or the conversation that it refuses.'),
  'chat-template-rewrites': user(
    'Use a template that marks answers with {% generation %}, or train on conversations of one answer.',
  ),

  // serving a model
  'serve-setting-invalid': user('Correct the flag of `nightstill serve` that the message names.'),
  'address-unavailable': user('Choose another --port or --host, or end what listens there.'),
  'idempotency-log-unusable': user('Give --idempotency-log a directory that this server alone keeps and may write to.'),

  // child processes
  'child-start-failed': system(true, 'Check that node can be started here and that memory is left.'),
  'child-died': system(
    true,
    'Read the last lines of the child in the message; the next attempt goes on from its last checkpoint.',
  ),
  'out-of-memory': system(
    true,
    'Give the worker more memory, or lower rows; wasm has 4 GiB at most, TensorFlow what the machine has. The next attempt ' +
      'goes on from the last checkpoint.',
  ),
  'child-silent': system(true, 'Check the load of the machine; the next attempt goes on from the last checkpoint.'),
  'child-protocol': system(false, 'Check that parent and child are of the same release of nightstill.'),

  // evaluation by running SQL
  'reference-query-failed': user('Correct the reference SQL of the item, or give the database it was written for.'),

  // Temporal
  'temporal-unavailable': system(
    true,
    'Start a Temporal server, or set TEMPORAL_ADDRESS to a running one; where TLS is refused, correct TEMPORAL_TLS_* or the profile.',
  ),
  'namespace-unreadable': {
    ...user(
      'Let these workers read that namespace, or register it again, empty, if it is gone; or give each namespace a store of its own.',
    ),
    retryable: true,
  },
  'temporal-refused': user(
    'Give the client what the server asks for, as the message says: credentials, rights, a namespace, another id.',
  ),
  'run-unanswered': system(
    true,
    'Start an orchestrator worker, `nightstill worker`, and ask again; `status` and `watch` need none.',
  ),
  'run-unfinished': user('Wait until the run has completed, or start it again.'),
  'run-conflict': user('Choose another run id: this one was started with another plan.'),
  'run-missing': user('Correct the run id, or the namespace: Temporal forgets runs when their retention is over.'),
  'node-missing': user('Name a node of the plan that the run follows: `nightstill status <run>` lists them.'),
  'run-unreadable': user(
    'Give the client the data converter (codecs, keys, external storage) that the run was started with.',
  ),
  'run-terminated': system(false, 'Start the run again: it goes on from its last checkpoints.'),
  'run-cancelled': user('Start the run again: it goes on from its last checkpoints.'),
  'schedule-missing': user('Correct the name of the schedule, or create it: `nightstill schedule upsert <plan>`.'),
  'schedule-conflict': user('Give the plan another name: this one is that of a schedule of somebody else.'),
  'night-running': user('Wait until the night that goes on is over, or cancel its run.'),
  unexpected: system(true, 'Report it with the stack trace: an error came from where none was expected.'),
} as const satisfies Record<string, Failure>;

export type FailureCode = keyof typeof failures;

/** Tells whether a string that came over a wire is a code of this release. */
export const isFailureCode = (code: string): code is FailureCode => Object.hasOwn(failures, code);

/** Did an attempt that ended with this code only wait for something else? */
export const waits = (code: string): boolean => isFailureCode(code) && 'waits' in failures[code];
