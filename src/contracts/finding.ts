/** `review` has no null hypothesis behind it: it never fails a gate by `fail-on`. */
export const severities = ['critical', 'high', 'medium', 'low', 'review'] as const
export type Severity = (typeof severities)[number]
export const confidences = ['certain', 'high', 'medium', 'low'] as const
export type Confidence = (typeof confidences)[number]

export interface RecordRef {
  readonly id: string | null
  readonly shard: string
  readonly row: number
  readonly score: number
  readonly pValue: number | null
  readonly givenLabel: string | null
  readonly suggestedLabel: string | null
  readonly source: string | null
  readonly group: string | null
  /** Only when the pipeline allows excerpts: text, or a PNG as a data URI. */
  readonly excerpt?: string
  readonly thumbnail?: string
}

export interface Test {
  /** Unique within the detector and the same in every run on the same data: `label-flip/source: B, 3 to 8`. */
  readonly id: string
  /** "one-sided exact hypergeometric" */
  readonly method: string
  /** Before correction, 0..1. */
  readonly p: number
}

export interface Finding {
  readonly rule: string
  readonly severity: Severity
  readonly confidence: Confidence
  readonly scope: {
    readonly kind: 'dataset' | 'class' | 'class-pair' | 'source' | 'records' | 'pattern' | 'file'
    /** What the fingerprint is made of, with the rule: names, never scores, positions or paths. */
    readonly names: readonly string[]
  }
  /** One sentence that stands alone. */
  readonly message: string
  /** Records concerned. */
  readonly count: number
  readonly records: readonly RecordRef[]
  readonly evidence: readonly Evidence[]
  /** Id of the test behind it; null for review findings and certain facts. */
  readonly test: string | null
  /** What to do next, in the imperative. */
  readonly action: string
}

export type Cell = string | number | null
export type Evidence =
  | { readonly kind: 'numbers'; readonly title: string; readonly items: readonly { readonly name: string; readonly value: Cell }[] }
  /** Counts of given (rows) by suggested (columns) label; `marked` cells, as [row, column], are in excess. */
  | {
      readonly kind: 'matrix'
      readonly title: string
      readonly rowTitle: string
      readonly columnTitle: string
      readonly rows: readonly string[]
      readonly columns: readonly string[]
      readonly counts: readonly (readonly number[])[]
      readonly marked: readonly (readonly [number, number])[]
    }
  /** Proportions with confidence intervals, all in 0..1. */
  | {
      readonly kind: 'intervals'
      readonly title: string
      readonly level: number
      readonly expected: number | null
      readonly items: readonly {
        readonly name: string
        readonly count: number
        readonly total: number
        readonly estimate: number
        readonly low: number
        readonly high: number
        readonly marked: boolean
      }[]
    }
  | {
      readonly kind: 'histogram'
      readonly title: string
      readonly xTitle: string
      readonly edges: readonly number[]
      readonly series: readonly { readonly name: string; readonly counts: readonly number[] }[]
      readonly threshold: number | null
    }
  | { readonly kind: 'table'; readonly title: string; readonly columns: readonly string[]; readonly rows: readonly (readonly Cell[])[] }
  /**
   * Pictures side by side, in native pixels: the report enlarges them. With `ofRecords` they show records, not what many have in common,
   * and a report without excerpts leaves them out.
   */
  | { readonly kind: 'pictures'; readonly title: string; readonly ofRecords: boolean; readonly items: readonly Picture[] }
  /** Points in a plane, a series a group: an embedding map. Marked series are drawn over the others. */
  | {
      readonly kind: 'scatter'
      readonly title: string
      readonly xTitle: string
      readonly yTitle: string
      readonly series: readonly {
        readonly name: string
        readonly marked: boolean
        readonly points: readonly (readonly [number, number])[]
      }[]
    }
  /** Text of records with the part that matters marked; left out of a report without excerpts. */
  | { readonly kind: 'passages'; readonly title: string; readonly items: readonly Passage[] }

/** A PNG as a data URI, made from pixels by `math/picture.ts`, never copied from a file. */
export interface Picture {
  readonly caption: string
  readonly png: string
  readonly width: number
  readonly height: number
  /** In pixels of the picture: [left, top, width, height], or null. */
  readonly outline: readonly [number, number, number, number] | null
}

/** `marks` are ranges of `text` in UTF-16 code units, ascending, apart. `where` names the record. */
export interface Passage {
  readonly where: string
  readonly label: string | null
  readonly text: string
  readonly marks: readonly (readonly [number, number])[]
}
