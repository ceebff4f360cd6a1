/**
 * The Jest environment: Node's, with the outer realm's errors and byte arrays. Jest runs tests in a realm of their own, so
 * that what worker threads, `fs` and native code hand over would not be `instanceof` the test's `Error` or `Float32Array`.
 * Errors that the engine itself throws inside the test's realm stay `instanceof` too: their prototypes inherit.
 * It does not share `Object`, `Array` and `Promise`, which have literals: compare those with `toEqual`.
 */
import { TestEnvironment as NodeEnvironment } from 'jest-environment-node';

const errors = [
  'Error',
  'AggregateError',
  'EvalError',
  'RangeError',
  'ReferenceError',
  'SyntaxError',
  'TypeError',
  'URIError',
];
const buffers = ['ArrayBuffer', 'SharedArrayBuffer', 'DataView'];
const integers = ['Int8', 'Int16', 'Int32', 'BigInt64', 'Uint8', 'Uint8Clamped', 'Uint16', 'Uint32', 'BigUint64'];
const arrays = [...integers, 'Float32', 'Float64'].map((element) => `${element}Array`);

class OuterRealmEnvironment extends NodeEnvironment {
  constructor(...parameters: ConstructorParameters<typeof NodeEnvironment>) {
    super(...parameters);
    for (const name of [...errors, ...buffers, ...arrays]) {
      const outer: unknown = Reflect.get(globalThis, name);
      const inner: unknown = Reflect.get(this.global, name);
      if (typeof outer !== 'function' || typeof inner !== 'function')
        throw new Error(`expected a class ${name} in both realms`);
      if (inner !== outer) Object.setPrototypeOf(inner.prototype, outer.prototype);
      Reflect.set(this.global, name, outer);
    }
  }
}

// Jest takes an environment from the default export only.
export { OuterRealmEnvironment as default };
