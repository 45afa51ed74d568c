import type { Batch, Column, Maybe } from './data.ts'
import type { Exchange } from './exchange.ts'
import type { Finding, RecordRef, Test } from './finding.ts'
import type { Context, Shape, Statistic } from './statistic.ts'
import type { RecoveredTrigger } from './trigger.ts'

export interface Codes {
  readonly codes: Int32Array
  readonly values: readonly string[]
}

/** Columns beside a batch. Code -1 is none. Group names the cell whose threshold applies. */
export interface Scored {
  /** 0..1, higher is more suspicious, NaN where the detector does not apply to the row. */
  readonly score: Float64Array
  readonly pValue?: Float64Array
  readonly suggested?: Codes
  readonly group?: Codes
}

/** Like a statistic, over a batch and its scores. */
// biome-ignore lint/suspicious/noExplicitAny: states are private to their tally
export interface Tally<State = any, Summary = any> {
  init(c: Context): State
  update(c: Context, state: State, batch: Batch, scored: Scored): Maybe<void>
  seal?(c: Context, state: State): Maybe<void>
  merge(into: State, from: State): void
  finish(c: Context, state: State): Maybe<Summary>
}

/** Rows of `group` (all groups when null) whose score is at least `atLeast` are flagged by `rule`. */
export interface Threshold {
  readonly rule: string
  readonly group: string | null
  readonly atLeast: number
}

export interface RuleMeta {
  /** `detector/rule`, the name a finding cites, and the page `docs/rules/<detector>/<rule>.md`. */
  readonly id: string
  readonly title: string
  /** Row of the table in `taxonomy/`. */
  readonly family: 'label-flip' | 'clean-label' | 'trigger' | 'data-provenance' | 'base-model' | 'hidden-instructions' | 'coverage'
}

/** What a detector may know before any data is read. */
export interface Setup {
  /** `embedding` and `pixels` also where they will be made. */
  readonly subject: readonly Column[]
  readonly reference: readonly Column[] | null
  /** Names of the prediction columns in order, where the pipeline or the column names give them. */
  readonly classes: readonly string[] | null
  readonly shape: Shape
}

// biome-ignore lint/suspicious/noExplicitAny: a tally's and an evidence's summary are private to their detector
export interface Detector<Options = any, TallySummary = any, EvidenceSummary = any> {
  readonly id: string
  readonly version: number
  readonly title: string
  readonly rules: readonly RuleMeta[]
  /** Parses and defaults the options given in the pipeline file; throws ZodError. */
  readonly options: { parse(input: unknown): Options }
  /** Null when it can run, else why not, for the coverage page: "no column has the role label". */
  missing(setup: Setup): string | null
  /** One sentence: how it will run on this data ("own predictions", "no model: choice of ridge, LDA, ..."). */
  mode(options: Options, setup: Setup): string
  /** Columns that it reads in `score`, `tally` and its statistics. */
  reads(options: Options, setup: Setup): readonly Column[]
  statistics(options: Options, setup: Setup): readonly Statistic[]
  /** What its statistics and scores read as the column `neighbours`; at most one detector of a run has one. */
  exchange?(options: Options, setup: Setup): Exchange | null
  scorer(c: Context<Options>, setup: Setup): Maybe<(batch: Batch) => Maybe<Scored>>
  readonly tally?: Tally<unknown, TallySummary>
  decide(c: Context<Options>, tally: TallySummary): readonly Threshold[]
  /** Over flagged rows alone, which have the columns `row`, `id`, `label`, `source` and those of `evidenceReads`. */
  readonly evidence?: Tally<unknown, EvidenceSummary>
  readonly evidenceReads?: readonly Column[]
  conclude(c: Context<Options>, tally: TallySummary, evidence: EvidenceSummary, flagged: Flagged): Maybe<Conclusion>
}

/** What the engine knows of a detector's flags: the counts and the strongest rows, strongest first. */
export interface Flagged {
  readonly count: number
  readonly scored: number
  readonly top: readonly RecordRef[]
}

export interface Conclusion {
  readonly findings: readonly Finding[]
  /** Every hypothesis that was tested, also those that found nothing: the report corrects over all of them. */
  readonly tests: readonly Test[]
  /** Sentences for the coverage page: the model chosen, sample sizes, what could not be tested. */
  readonly notes: readonly string[]
  /** Triggers that were recovered: the pipeline may have a base model asked about them. */
  readonly triggers?: readonly RecoveredTrigger[]
}
