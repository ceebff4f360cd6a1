/** What travels between stages instead of data; itself JSON. Pure: workflows may import it. */
export type ArtifactRef = {
  readonly kind: string;
  /** `sha256:` and 64 lower-case hex digits: the digest of the artifact's index, and so of all its bytes. */
  readonly digest: string;
  readonly uri: string;
  readonly bytes: number;
  readonly rows?: number | undefined;
  /** Size of the index. */
  readonly indexBytes: number;
  /** Steps after which its training went on on a machine that computes other bits: what it is cannot be proven by doing it again. */
  readonly resumedInexactlyAt?: readonly number[] | undefined;
};

/** Artifacts by the names that the stage kind gives them. */
export type Outputs = Readonly<Record<string, ArtifactRef>>;
