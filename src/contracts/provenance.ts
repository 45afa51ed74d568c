import type { Place } from './errors.ts'

/** As manifests name them, in the order of strength: a policy's weakest algorithm is a position in this list. */
export const digestAlgorithms = [
  'crc32',
  'md5',
  'sha1',
  'sha224',
  'sha256',
  'sha384',
  'sha512',
  'sha3-256',
  'sha3-384',
  'sha3-512',
  'blake2b',
  'blake3',
] as const
export type DigestAlgorithm = (typeof digestAlgorithms)[number]

/** What is known of one file of a delivery after all of its manifests were read. Only `verified` counts towards coverage. */
export const grades = ['verified', 'mismatched', 'missing', 'unlisted', 'weak-digest', 'placeholder-digest', 'no-digest'] as const
export type Grade = (typeof grades)[number]

export const manifestKinds = [
  'bagit',
  'croissant',
  'data-card',
  'dvc',
  'frictionless',
  'hf-pointer',
  'in-toto',
  'oms',
  'sigstore',
  'sums',
  'url-table',
] as const
export type ManifestKind = (typeof manifestKinds)[number]

/** A regular file below the root of a delivery. Symbolic links that stay inside the root are followed, others are a problem. */
export interface DeliveredFile {
  /** Relative to the root, `/` between parts, as the file system spells it. */
  readonly path: string
  readonly bytes: number
}

export interface Delivery {
  /** Absolute. */
  readonly root: string
  /** By path, ascending by code unit. */
  readonly files: readonly DeliveredFile[]
  /**
   * Manifests and signatures that the user brought from elsewhere: absolute path by the name under which they stand in
   * `files`, as if they lay in the root.
   */
  readonly outside: ReadonlyMap<string, string>
  readonly problems: readonly ManifestProblem[]
}

export interface Digest {
  readonly algorithm: DigestAlgorithm
  /** Lower case. */
  readonly hex: string
}

/** One statement of a manifest about one file, or about a byte range of it. */
export interface ManifestEntry {
  /** Relative to the root of the delivery; passed `safePath`. */
  readonly path: string
  /** All of them must match. Empty: the manifest names the file and no digest. */
  readonly digests: readonly Digest[]
  readonly bytes: number | null
  /** First byte and the byte after the last; null for the whole file. */
  readonly range: readonly [number, number] | null
  /** What stands where a digest should: "foo", the URL of an issue, 32 digits called sha256. */
  readonly placeholder: string | null
  /** Where the publisher says that it comes from. Never fetched. */
  readonly url: string | null
  /** Class of the record behind the file, where the manifest is a table of records. */
  readonly label: string | null
  /**
   * True: the manifest does not say that the file is part of this delivery; it may lie behind its URL or inside of an archive.
   * Where it is not there and nothing could be checked, it is graded `placeholder-digest` or `no-digest`, not `missing`.
   */
  readonly elsewhere?: boolean
  readonly place: Place
}

export const problemCodes = ['malformed', 'hostile-path', 'inconsistent', 'unsupported', 'too-large', 'unreadable'] as const
export type ProblemCode = (typeof problemCodes)[number]

/** Something in a manifest that a policy may not overlook: each is a finding, none stops the verification. */
export interface ManifestProblem {
  readonly code: ProblemCode
  /** One sentence that stands alone. */
  readonly message: string
  readonly place: Place
  /** False for what a specification calls a warning. */
  readonly invalid: boolean
}

export interface SignatureCheck {
  /** "ed25519", "ECDSA P-256", "minisign", "OMS, certificate", "Sigstore" ... */
  readonly method: string
  /** The file that holds the signature, relative to the root. */
  readonly file: string
  /**
   * - `trusted`: the signature holds and the policy names its signer
   * - `untrusted`: it holds, by somebody whom the policy does not name
   * - `invalid`: it does not hold: bytes were changed, or the certificate or the log entry is not valid
   * - `unchecked`: it cannot be judged (no key given, an unknown algorithm)
   */
  readonly status: 'trusted' | 'untrusted' | 'invalid' | 'unchecked'
  /** Identity, subject of the certificate or fingerprint of the key; null where unknown. */
  readonly signer: string | null
  /** Why it has this status. One sentence. */
  readonly reason: string
  /** ISO 8601, where a log or an authority vouches for the time. */
  readonly signedAt: string | null
}

/** What a publisher says of the records, to be compared with what is read. */
export interface DeclaredFacts {
  readonly rows: number | null
  readonly classes: Readonly<Record<string, number>> | null
  /** In the order of their codes, where they are declared without counts: the data may write names or codes. */
  readonly classNames?: readonly string[]
  readonly columns: readonly { readonly name: string; readonly type: string | null }[] | null
  /** Rows by split: the name of a shard or what follows `#` in it. */
  readonly splits: Readonly<Record<string, number>> | null
  readonly files: readonly { readonly path: string; readonly bytes: number }[] | null
  /** Who says so, for the report: "croissant.json, record set default", "the pipeline file". */
  readonly by: string
}

/** One manifest of a delivery, read and its signatures checked. Plain data. */
export interface Manifest {
  readonly kind: ManifestKind
  /** "OpenSSF Model Signing", "SHA256SUMS" ... */
  readonly title: string
  /** Relative to the root. */
  readonly file: string
  /** Of the format, where the manifest states one. */
  readonly version: string | null
  readonly entries: readonly ManifestEntry[]
  /** Folder of which this manifest claims to name every file ("" is the root); null where it makes no such claim. */
  readonly closed: string | null
  /** Paths (files, or folders ending in `/`) that the claim leaves out. */
  readonly ignored: readonly string[]
  /** Files that belong to the manifest and are no subject: itself, its signatures, tag files. */
  readonly own: readonly string[]
  readonly signatures: readonly SignatureCheck[]
  readonly problems: readonly ManifestProblem[]
  readonly facts: readonly DeclaredFacts[]
}

/** What the user trusts, loaded. Never read from inside a delivery. */
export interface TrustPolicy {
  /** PEM public keys (SPKI) or minisign public keys, with the name of the file they came from. */
  readonly keys: readonly { readonly name: string; readonly text: string }[]
  /** PEM certificates of authorities. */
  readonly certificates: readonly { readonly name: string; readonly text: string }[]
  /** For sigstore: without one, no signature is trusted. `identity` is an email address or a URI, compared in full. */
  readonly identities: readonly { readonly identity: string; readonly issuer: string }[]
  /** A sigstore trusted root as JSON; null for the one of the public instance that comes with the package. */
  readonly trustedRoot: string | null
  readonly weakest: DigestAlgorithm
  /** Fraction of the subject files that must be verified, 0..1. */
  readonly coverage: number
  /** What a file is that no manifest names, where one claims to name all (`closed`) it is always a finding. */
  readonly unlisted: 'allow' | 'report' | 'fail'
  /** True: a manifest without a trusted signature is a finding that fails a gate at `high`. */
  readonly requireSignature: boolean
  readonly now: Date
}

/** Adding a format is one file in `provenance/manifests/` and one line in its registry. */
export interface ManifestFormat {
  readonly kind: ManifestKind
  readonly title: string
  /**
   * Asked for every file of a delivery, so cheap: first the path and the size; `head` opens the file and reads at most 4 KiB.
   * False for what another kind reads.
   */
  detect(file: DeliveredFile, head: () => Uint8Array): boolean
  /** A closer look, where `detect` said yes and the head cannot tell: false for a table that holds data. Asked only in discovery. */
  confirm?(file: DeliveredFile, delivery: Delivery): Promise<boolean>
  /**
   * Reads a manifest within bounds. What is wrong with it comes back as problems; it throws only where the disk fails.
   * A folder of parts (BagIt) is one manifest, found by its main file.
   */
  read(file: DeliveredFile, delivery: Delivery, trust: TrustPolicy): Promise<Manifest>
}

/** What has to be hashed of one file, for every manifest at once. */
export interface DigestRequest {
  readonly path: string
  readonly algorithms: readonly DigestAlgorithm[]
  readonly ranges: readonly { readonly range: readonly [number, number]; readonly algorithm: DigestAlgorithm }[]
}

/** `ranges` answers the request's, in order. Read in one go; `bytes` is what was read. */
export interface FileDigests {
  readonly path: string
  readonly bytes: number
  readonly digests: readonly Digest[]
  readonly ranges: readonly string[]
  /** Why the file could not be read to its end; it has no digests then. */
  readonly failed?: string
}

export interface FileGrade {
  readonly path: string
  /** Of the file; null where it is missing. */
  readonly bytes: number | null
  readonly grade: Grade
  /** Files of the manifests that name it, the one behind the grade first; of an unlisted file, who claims to name all and does not. */
  readonly manifests: readonly string[]
  /** The digest behind the grade; null where there is none. */
  readonly expected: Digest | null
  readonly actual: string | null
  /** Verified by a manifest with a trusted signature. */
  readonly signed: boolean
  readonly label: string | null
  readonly url: string | null
}

export interface Coverage {
  readonly files: number
  readonly bytes: number
  readonly byGrade: Readonly<Record<Grade, { readonly files: number; readonly bytes: number }>>
  /** Verified / all, 0..1; bytes of missing files count as declared where declared. */
  readonly verifiedFiles: number
  readonly verifiedBytes: number
  readonly signedFiles: number
  readonly signedBytes: number
}

/** What was read of the data, to be held against what was declared. Null where it was not read. */
export interface ReadFacts {
  readonly rows: number | null
  readonly labels: readonly { readonly name: string; readonly count: number }[] | null
  readonly columns: readonly { readonly name: string; readonly type: string | null }[] | null
  /** Shards or splits, by name. */
  readonly splits: readonly { readonly name: string; readonly rows: number }[] | null
  readonly files: readonly { readonly path: string; readonly bytes: number }[] | null
}

/** A declared fact beside what was read. */
export interface FactCheck {
  readonly by: string
  /** "rows", "rows of class normal", "column age" ... */
  readonly name: string
  readonly declared: string
  /** Null where nothing was read to compare it with. */
  readonly read: string | null
  readonly agrees: boolean | null
}
