/** Messages and stacks of failures travel encoded. A path of its own: workers load it, and their workflow sandbox does. */
const { DefaultFailureConverter } = require('@temporalio/common');

exports.failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
