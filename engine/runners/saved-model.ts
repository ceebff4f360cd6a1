/**
 * A graph and its functions as the bytes of a SavedModel: one protobuf, which TensorFlow's C API loads into a session. The
 * field numbers are those of saved_model.proto, graph.proto, function.proto and attr_value.proto of TensorFlow. Weights are
 * never in it: a protobuf ends at 2 GiB, and programs are cached by content.
 */
import protobuf from 'protobufjs';
import { outputName } from './graph-outputs.js';
import type { GraphAttribute, GraphNode, GraphOutput, GraphType } from './graph.js';

/** A function of the graph: nodes of its own, called by name. */
export interface GraphFunction {
  readonly name: string;
  readonly arguments: readonly { readonly name: string; readonly type: GraphType }[];
  readonly results: readonly { readonly name: string; readonly type: GraphType; readonly value: GraphOutput }[];
  readonly nodes: readonly GraphNode[];
  /** Nodes that run for their effect. */
  readonly effects: readonly GraphNode[];
}

const schema = protobuf
  .parse(
    `syntax = "proto3";
message SavedModel { int64 saved_model_schema_version = 1; repeated MetaGraph meta_graphs = 2; }
message MetaGraph { MetaInfo meta_info_def = 1; GraphDef graph_def = 2; }
message MetaInfo { repeated string tags = 4; string tensorflow_version = 5; }
message GraphDef { repeated Node node = 1; Library library = 2; Versions versions = 4; }
message Versions { int32 producer = 1; int32 min_consumer = 2; }
message Library { repeated Function function = 1; }
message Function {
  Signature signature = 1; repeated Node node_def = 3; map<string, string> ret = 4; map<string, Attribute> attr = 5;
  map<string, string> control_ret = 6;
}
message Signature {
  string name = 1; repeated Argument input_arg = 2; repeated Argument output_arg = 3; bool is_stateful = 17;
  repeated string control_output = 20;
}
message Argument { string name = 1; int32 type = 3; }
message Node { string name = 1; string op = 2; repeated string input = 3; map<string, Attribute> attr = 5; }
message Attribute {
  oneof value { bytes s = 2; int64 i = 3; float f = 4; bool b = 5; int32 type = 6; Shape shape = 7; Tensor tensor = 8; List list = 1; Func func = 10; }
}
message Func { string name = 1; }
message List { repeated int64 i = 3 [packed = true]; repeated int32 type = 6 [packed = true]; repeated Shape shape = 7; }
message Shape { repeated Dimension dim = 2; }
message Dimension { int64 size = 1; }
message Tensor { int32 dtype = 1; Shape tensor_shape = 2; bytes tensor_content = 4; }
`,
  )
  .root.lookupType('SavedModel');

/** Graph version 1205 and later know every operation used here; 12 is the oldest consumer TensorFlow still names. */
const versions = { producer: 1882, minConsumer: 12 };

export function encodeSavedModel(nodes: readonly GraphNode[], functions: readonly GraphFunction[]): Uint8Array {
  const graphDef = {
    node: nodes.map((node) => nodeMessage(node, mainReference)),
    library: { function: functions.map(functionMessage) },
    versions,
  };
  const metaGraphs = [{ metaInfoDef: { tags: ['serve'], tensorflowVersion: '2.16.0' }, graphDef }];
  return schema.encode(schema.fromObject({ savedModelSchemaVersion: 1, metaGraphs })).finish();
}

type Reference = (output: GraphOutput) => string;

/** In the main graph: `node` for the first result, `node:index` for another. */
const mainReference: Reference = ({ node, index }) => (index === 0 ? node.name : `${node.name}:${index}`);

/** Within a function: `node:output name:index`; an argument of the function by its name alone. */
const functionReference: Reference = ({ node, index }) =>
  node.operation === '_Arg' ? node.name : `${node.name}:${outputName(node.operation, index)}`;

const nodeMessage = (node: GraphNode, reference: Reference): object => ({
  name: node.name,
  op: node.operation,
  input: [...node.inputs.map(reference), ...node.control.map(({ name }) => `^${name}`)],
  attr: node.attributes,
});

function functionMessage(graphFunction: GraphFunction): object {
  const { name, results, nodes, effects } = graphFunction;
  return {
    signature: {
      name,
      inputArg: graphFunction.arguments,
      outputArg: results.map((result) => ({ name: result.name, type: result.type })),
      isStateful: true,
      controlOutput: effects.map((effect) => effect.name),
    },
    nodeDef: nodes.filter(({ operation }) => operation !== '_Arg').map((node) => nodeMessage(node, functionReference)),
    ret: Object.fromEntries(results.map((result) => [result.name, functionReference(result.value)])),
    controlRet: Object.fromEntries(effects.map((effect) => [effect.name, effect.name])),
    attr: {} satisfies Record<string, GraphAttribute>,
  };
}

/** The stand-in, within a function, for one of its arguments. */
export const argumentNode = (name: string, type: GraphType): GraphNode => ({
  name,
  operation: '_Arg',
  inputs: [],
  control: [],
  attributes: { T: { type } },
});
