/** A failure converter for tests of encryption: messages and stacks travel as payloads, which codecs encode. */
const { DefaultFailureConverter } = require('@temporalio/common');

exports.failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
