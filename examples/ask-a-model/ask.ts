/** Asks a model that `nightstill serve` serves: node ask.js <base URL> <question>. */
import OpenAI from 'openai';

const [, , baseURL = 'http://127.0.0.1:8000/v1', question = 'What is the moon?'] = process.argv;
const client = new OpenAI({ baseURL, apiKey: process.env['NIGHTSTILL_API_KEY'] ?? 'none' });
const { data } = await client.models.list();
const [model] = data;
if (model === undefined) throw new Error(`expected a model at ${baseURL}, found none`);

const stream = await client.chat.completions.create({
  model: model.id,
  messages: [{ role: 'user', content: question }],
  temperature: 0,
  max_completion_tokens: 64,
  stream: true,
});
for await (const { choices } of stream) process.stdout.write(choices[0]?.delta.content ?? '');
process.stdout.write('\n');
