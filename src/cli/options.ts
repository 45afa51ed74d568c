import { type Command, InvalidArgumentError, Option } from 'commander'
import type { ColumnMap, Role } from '../contracts/data.ts'
import { type FlagFormat, flagFormats, type Gate, type ReportFormat, reportFormats } from '../contracts/pipeline.ts'
import { type LogLevel, logLevels } from './log.ts'
import { type ProgressMode, progressModes } from './progress-modes.ts'

export interface WatchOptions {
  readonly progress: ProgressMode
  readonly quiet?: boolean
  readonly logLevel: LogLevel
}

export interface ResultOptions extends WatchOptions {
  readonly json?: boolean
  readonly exitZero?: boolean
}

/** Roles with an option of their own; every other column is named in a pipeline file. */
export const roleOptions = [
  'id',
  'label',
  'source',
  'text',
  'embedding',
  'features',
  'predictions',
  'image',
] as const satisfies readonly Role[]
const listRoles: readonly Role[] = ['embedding', 'features', 'predictions']

export interface DataOptions extends WatchOptions, Partial<Record<(typeof roleOptions)[number], string | readonly string[]>> {
  readonly config?: string
  readonly preset?: string
  readonly runDir?: string
  readonly seed?: string
  readonly workers?: number
  readonly reference?: readonly string[]
  readonly imageLabels?: string
  readonly failOn?: Gate['fail-on']
  readonly maxFlagged?: number
  readonly minCoverage?: number
  readonly known?: string
  readonly history?: string
  readonly formats?: readonly ReportFormat[]
  readonly excerpts?: boolean
  readonly flags?: FlagFormat
  readonly keepScores?: FlagFormat
  readonly baseline?: string
  readonly since?: string
  readonly key?: readonly string[]
  readonly only?: readonly string[]
  readonly sensitivity?: boolean
}

export interface AuditOptions extends DataOptions, ResultOptions {
  readonly resume?: boolean
  readonly dryRun?: boolean
  readonly printConfig?: boolean
  readonly sign?: string
  readonly passwordEnv?: string
}

export interface Share {
  readonly index: number
  readonly count: number
}

export const fraction = (text: string): number => {
  const value = text.endsWith('%') ? Number(text.slice(0, -1)) / 100 : Number(text)
  if (text.trim() === '' || !(value >= 0 && value <= 1)) throw new InvalidArgumentError('Expected a number from 0 to 1, or a percentage.')
  return value
}

export const wholeNumber =
  (low: number, high: number) =>
  (text: string): number => {
    const value = Number(text)
    if (!/^\d+$/.test(text) || value < low || value > high)
      throw new InvalidArgumentError(`Expected a whole number from ${low} to ${high}.`)
    return value
  }

export const share = (text: string): Share => {
  const match = /^(\d{1,6})\/(\d{1,6})$/.exec(text)
  const [index, count] = [Number(match?.[1]), Number(match?.[2])]
  if (!match || index < 1 || index > count) throw new InvalidArgumentError('Expected i/n with i from 1 to n, such as 2/4.')
  return { index, count }
}

export const formatList = (text: string): readonly ReportFormat[] => {
  const names = text.split(',').map((name) => name.trim())
  for (const name of names)
    if (!reportFormats.some((f) => f === name)) throw new InvalidArgumentError(`Expected a list of ${reportFormats.join(', ')}.`)
  return names as ReportFormat[]
}

const collect = (value: string, before: readonly string[] | undefined): readonly string[] => [...(before ?? []), value]
const collectNames = (value: string, before: readonly string[] | undefined): readonly string[] => [...(before ?? []), ...value.split(',')]

export const addWatchOptions = (command: Command): Command =>
  command
    .addOption(
      new Option('--progress <mode>', 'bars on a terminal and a line every 30 s elsewhere, only lines, or nothing')
        .choices(progressModes)
        .default('auto'),
    )
    .option('-q, --quiet', 'errors only: no summary, no progress')
    .addOption(new Option('--log-level <level>', 'what is logged to stderr').choices(logLevels).default('warn'))

export const addResultOptions = (command: Command): Command =>
  command
    .option('--json', 'print report.json instead of the summary')
    .option('--exit-zero', 'exit 0 where the gate fails (an incomplete audit still exits 2)')

const workers = (): Option =>
  new Option('--workers <n>', 'worker threads; the result does not depend on it (default: one a processor)').argParser(wholeNumber(1, 256))

export const addWorkers = (command: Command): Command => command.addOption(workers())

/** Everything that says what is audited and how. */
export function addDataOptions(command: Command): Command {
  command
    .option('-c, --config <file>', 'pipeline file; DATA replaces its sources')
    .option('--preset <name>', 'pretraining-gate (the default), scheduled-audit or vendor-intake')
    .option('--run-dir <folder>', 'where the report and everything else is written (default: a new folder in assay-runs)')
    .option('--seed <text>', '32 hex digits or any text; the same seed gives the same result (default: random)')
    .addOption(workers())
    .optionsGroup('Columns (guessed where absent; an array of the .npz, or .npy files):')
  for (const role of roleOptions) {
    const list = listRoles.includes(role)
    const option = new Option(`--${role} <${list ? 'columns' : 'column'}>`, roleHelp[role])
    command.addOption(list ? option.argParser(collectNames) : option)
  }
  return command
    .option('--image-labels <file>', 'CSV file with the labels of a folder of images')
    .option('--reference <path>', 'records that you vouch for; may be repeated', collect)
    .addOption(new Option('--only <detectors>', 'detectors that run; all others are switched off').argParser(collectNames))
    .option('--sensitivity', 'try known attacks on these records, in memory: what would this audit have found?')
    .optionsGroup('Provenance:')
    .option('--baseline <path>', 'what the records are compared with: a folder of "assay snapshot", or a trusted original')
    .option('--since <folder>', 'audit only what is new or changed since this snapshot, against the rest as accepted')
    .option('--key <file>', 'public key whose signatures of manifests are trusted; may be repeated', collect)
    .optionsGroup('Gate:')
    .addOption(
      new Option('--fail-on <severity>', 'a finding of this severity or above fails the gate').choices([
        'critical',
        'high',
        'medium',
        'low',
        'never',
      ]),
    )
    .addOption(new Option('--max-flagged <fraction>', 'a larger fraction of flagged records fails the gate').argParser(fraction))
    .addOption(new Option('--min-coverage <fraction>', 'fewer records scored make the audit incomplete').argParser(fraction))
    .option('--known <file>', 'findings that were accepted as they were: what "assay baseline update" wrote')
    .optionsGroup('Output:')
    .option('--history <file>', 'keep this audit in a DuckDB file, and look for trends over those before it')
    .addOption(new Option('--formats <list>', `reports to write: ${reportFormats.join(',')}`).argParser(formatList))
    .addOption(new Option('--flags <format>', 'format of the flagged records').choices(flagFormats))
    .addOption(new Option('--keep-scores [format]', "keep every record's score").choices(flagFormats).preset('parquet'))
    .option('--excerpts', 'show text and images of records in the reports: they may be personal data')
}

const roleHelp: { readonly [R in (typeof roleOptions)[number]]: string } = {
  id: 'what names a record',
  label: 'the given label',
  source: 'who labelled or delivered the record: annotator, vendor, hospital',
  text: 'text to audit',
  embedding: 'ready vectors: a list column, or several numeric columns',
  features: 'numeric columns, separated by commas',
  predictions: 'out-of-sample class probabilities of your own model',
  image: 'encoded images, or raw pixels',
}

/** The role options as a column map; null where none was given. */
export function columnsOf(options: DataOptions): ColumnMap | null {
  const entries = roleOptions.flatMap((role) => {
    const value = options[role]
    if (value === undefined) return []
    return [[role, typeof value === 'string' || value.length > 1 || role === 'features' ? value : value[0]] as const]
  })
  return entries.length ? (Object.fromEntries(entries) as ColumnMap) : null
}
