/** `block`: refuse the file. `review`: a person decides. `note`: worth knowing, nothing wrong. */
export type Verdict = 'block' | 'review' | 'note'

export type RuleName =
  | 'adapter-mismatch'
  | 'chat-template'
  | 'container-lie'
  | 'format-violation'
  | 'look-alike'
  | 'opaque-container'
  | 'pickle-code'
  | 'pickle-unknown-global'
  | 'remote-code'
  | 'tensor-edited'
  | 'tokenizer-tampered'

/** One thing seen in a file. */
export interface Observation {
  readonly rule: RuleName
  readonly verdict: Verdict
  /** Certain and about code that runs: critical instead of high. */
  readonly runs?: boolean
  /** What it is about, without positions: a callee, a tensor, a key. It is part of the fingerprint. */
  readonly subject: string
  /** A clause without the file's name: "calls os.system('id')". */
  readonly message: string
  /** Bytes from the start of the innermost file or member. */
  readonly offset: number | null
  /** As many like it. */
  readonly count?: number
}

/** Where an observation was made: a file of the folder, and the members inside it, outermost first. */
export interface Located extends Observation {
  readonly file: string
  readonly inside: readonly string[]
}

/** Takes what the reader of a format sees. */
export type Report = (observation: Observation) => void
