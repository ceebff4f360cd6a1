/**
 * The program of the thread that runs scorers of a user's own, as text: it must run the same from source, compiled and under a test
 * runner. It says what the module exports, then answers one question after another.
 */
export const ownScorersProgram = `
const { parentPort, workerData } = require('node:worker_threads');
const { pathToFileURL } = require('node:url');
const { inspect } = require('node:util');

const said = (error) => (error instanceof Error ? error.name + ': ' + error.message : inspect(error)).slice(0, 500);

// Functions do not leave the thread.
const described = (scorer) =>
  typeof scorer !== 'object' || scorer === null
    ? inspect(scorer)
    : {
        id: scorer.id,
        version: scorer.version,
        kind: scorer.kind,
        score: typeof scorer.score,
        ...(scorer.timeLimitMs !== undefined && { timeLimitMs: scorer.timeLimitMs }),
      };

async function answered(scorer, question) {
  try {
    const found = await scorer.score(question);
    return { score: { score: found?.score, detail: found?.detail } };
  } catch (error) {
    return { failed: said(error) };
  }
}

const post = (message) => {
  try {
    parentPort.postMessage(message);
  } catch (error) {
    parentPort.postMessage({ failed: said(error) });
  }
};

import(pathToFileURL(workerData.module).href).then(
  (loaded) => {
    const scorers = loaded.scorers ?? loaded.default;
    parentPort.on('message', async ({ index, question }) => post(await answered(scorers[index], question)));
    post({ scorers: Array.isArray(scorers) ? scorers.map(described) : inspect(scorers) });
  },
  (error) => post({ failed: said(error) }),
);
`;
