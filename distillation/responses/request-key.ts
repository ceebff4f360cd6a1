/**
 * The name of one question: who is asked (endpoint, declared revision), what is sent (the body of the request, in which the
 * model stands), and which of several samples it is. Equal keys are the same question, which is asked once.
 */
import { canonicalJson, digestOf, hexOf, type Digest, type JsonObject } from '../../storage/index.js';

/** 64 hex digits. */
export type RequestKey = string;

export interface TeacherIdentity {
  /** Base URL; user, password, query and fragment of it are no part of the identity. */
  readonly endpoint: string;
  readonly model: string;
  /** Stands for the weights, which a hosted teacher does not show. */
  readonly revision: string;
}

export interface TeacherRequest extends TeacherIdentity {
  /** The body of the request as it is sent. */
  readonly body: JsonObject;
  /** Counted from 0: several answers to one question. */
  readonly sample: number;
  /** The identity that a drift of its canaries gave the teacher; absent or null: that of its revision. */
  readonly drift?: string | null;
}

export const requestKey = ({ body, sample, drift = null, ...teacher }: TeacherRequest): RequestKey =>
  hexOf(digestOf(canonicalJson({ ...identityOf(teacher), body, sample, ...(drift !== null && { drift }) })));

/** What the key covers of the body, to find equal questions to different teachers. */
export const requestDigest = (body: JsonObject): Digest => digestOf(canonicalJson(body));

/** 64 hex digits: under them lie the responses of one teacher. */
export const teacherKey = (teacher: TeacherIdentity): string => hexOf(digestOf(canonicalJson(identityOf(teacher))));

function identityOf({ endpoint, model, revision }: TeacherIdentity): JsonObject {
  const { protocol, origin, pathname } = new URL(endpoint);
  // A model on this machine has no origin.
  const host = origin === 'null' ? protocol : origin;
  return { endpoint: `${host}${pathname.replace(/\/+$/, '')}`, model, revision };
}
