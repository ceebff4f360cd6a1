/** Jest's own runner, one test file at a time: for projects whose files start servers and kill processes. */
const { default: TestRunner } = require('jest-runner');

module.exports = class SerialRunner extends TestRunner {
  isSerial = true;
};
