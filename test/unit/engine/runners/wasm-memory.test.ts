/** What the wasm module prints is no output of ours: it says that a result is none. */
import { catchingOutput, checkOutput, whileListening } from '../../../../engine/runners/wasm-memory.js';

async function printing(): Promise<(line: string) => void> {
  let print: (line: string) => void = () => undefined;
  await catchingOutput(async () => {
    print = console.warn.bind(console);
  });
  return print;
}

test('a line that the module prints is a failure of the call, and of no other', async () => {
  const print = await printing();
  expect(checkOutput).not.toThrow();
  whileListening(() => print('XNN status for xnn_create_softmax_nc_f32 is not successful. Got status 6.'));
  expect(checkOutput).toThrow(expect.objectContaining({ code: 'out-of-memory' }));
  expect(checkOutput).not.toThrow();
  whileListening(() => print('Sum failed. Unknown dtype 7'));
  expect(checkOutput).toThrow(
    expect.objectContaining({
      code: 'engine-failed',
      message: 'expected a result, found: Sum failed. Unknown dtype 7',
    }),
  );
  whileListening(() => print('of a call before'));
  whileListening(() => undefined);
  expect(checkOutput).not.toThrow();
});

test('the console stays as it was for everyone else, and so does what they bound meanwhile', async () => {
  const warn = jest.spyOn(console, 'warn').mockImplementation();
  const print = await printing();
  print('a line of somebody else');
  expect(warn).toHaveBeenCalledWith('a line of somebody else');
  expect(checkOutput).not.toThrow();
  warn.mockRestore();
  expect([console.log, console.warn].map((method) => Object.hasOwn(method, 'bind'))).toEqual([false, false]);
});
