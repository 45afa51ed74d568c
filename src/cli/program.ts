import { Argument, Command, Option } from 'commander'
import { reportFormats } from '../contracts/pipeline.ts'
import { templates } from '../report/render/templates.ts'
import { version } from '../version.ts'
import { addBaselineCommand } from './baseline-command.ts'
import { addCleanCommand } from './clean-command.ts'
import type { ConvertOptions } from './convert.ts'
import { addDiffCommand } from './diff-command.ts'
import type { FitOptions } from './fit.ts'
import { addHistoryCommand } from './history-command.ts'
import { addInjectCommand } from './inject-command.ts'
import type { Io } from './io.ts'
import type { MergeOptions } from './merge.ts'
import {
  type AuditOptions,
  addDataOptions,
  addResultOptions,
  addWatchOptions,
  addWorkers,
  type DataOptions,
  share,
  wholeNumber,
} from './options.ts'
import type { ReportOptions } from './report.ts'
import { addReviewCommand } from './review-command.ts'
import { addScanCommand } from './scan-command.ts'
import { type SchemaName, schemaNames } from './schema-names.ts'
import type { ScoreOptions } from './score.ts'
import { addSignCommands } from './sign-commands.ts'
import { addSnapshotCommand } from './snapshot-command.ts'
import { addVerifyCommand } from './verify-command.ts'
import { addWorkerCommand } from './worker-command.ts'

export interface Host {
  readonly io: Io
  finish(exit: number): void
  started(runDir: string): void
  /** Help and version: what a user asked to read. */
  out(text: string): void
}

const exits = `
Exit codes: 0 the gate passed, 1 the gate failed, 2 the audit is incomplete, 3 nothing was audited,
4 usage or configuration error, 130 interrupted.`

const examples = `
Examples:
  assay audit records.csv                        guess the columns, print what was guessed
  assay audit records.csv --print-config > pipeline.yaml
  assay audit pipeline.yaml --run-dir run        what is audited is written down
  assay audit --predictions p.npy --label y.npy  label errors from your own model's predictions
  cat records.jsonl | assay audit - --json       for scripts
`

const runDirOption = (): Option => new Option('--run-dir <folder>', 'the folder that "assay plan" made').makeOptionMandatory()
const levelOption = (): Option => new Option('--level <n>', 'fit level, from 0').argParser(wholeNumber(0, 99)).makeOptionMandatory()
const shardOption = (): Option =>
  new Option('--shard <i/n>', 'this part of the shard groups, from 1').argParser(share).default({ index: 1, count: 1 }, '1/1')
const dataArgument = (): Argument =>
  new Argument('[data...]', 'files, folders or globs; - for standard input; or one pipeline file (.yaml)')

/** The commands. Each loads its code when it runs, so that `--help` and `--version` are quick. */
export function buildProgram({ io, finish, started, out }: Host): Command {
  const program = new Command('assay')
    .description('Has this training data been poisoned, and how sure are we?')
    .exitOverride()
    .configureOutput({ writeOut: out, writeErr: () => {}, getOutHelpWidth: () => io.stdout.columns ?? 100 })
    .version(version, '-V, --version')
    .helpCommand(false)
    .addHelpText('after', exits)

  const audit = program
    .command('audit')
    .summary('audit a data set')
    .description('Audits a data set and writes report, flags and verdict.')
    .addArgument(dataArgument())
  addDataOptions(audit)
  addResultOptions(audit)
  audit
    .optionsGroup('Run:')
    .option('--sign <key>', 'private key that signs the verdict: verdict.intoto.json, for "assay verify"')
    .option('--password-env <name>', 'environment variable with the password of that key')
    .option('--resume', 'go on with the run in --run-dir')
    .option('--dry-run', 'print the plan: data, detectors, reads, memory')
    .option('--print-config', 'print the pipeline file that audits the same')
  addWatchOptions(audit)
  audit.addHelpText('after', `${examples}${exits}`).action(async (data: string[], options: AuditOptions) => {
    finish(await (await import('./audit.ts')).runAudit(data, options, io, started))
  })

  const plan = program
    .command('plan')
    .summary('prepare a run for several machines')
    .description('Writes the plan of a run directory. Then fit and merge every level, score and report: together they do what audit does.')
    .addArgument(dataArgument())
  addWatchOptions(addDataOptions(plan)).action(async (data: string[], options: DataOptions) => {
    finish(await (await import('./plan.ts')).runPlan(data, options, io))
  })

  const fit = program.command('fit').description('Reads shards of a planned run and writes the state of their statistics.')
  addWatchOptions(addWorkers(fit.addOption(runDirOption()).addOption(levelOption()).addOption(shardOption()))).action(
    async (options: FitOptions) => {
      finish(await (await import('./fit.ts')).runFit(options, io))
    },
  )

  const merge = program.command('merge').description('Merges the states of one level, when all of its shards are fitted.')
  addWatchOptions(addWorkers(merge.addOption(runDirOption()).addOption(levelOption()))).action(async (options: MergeOptions) => {
    finish(await (await import('./merge.ts')).runMerge(options, io))
  })

  const score = program.command('score').description('Scores shards of a planned run, when all levels are merged.')
  addWatchOptions(addWorkers(score.addOption(runDirOption()).addOption(shardOption()))).action(async (options: ScoreOptions) => {
    finish(await (await import('./score.ts')).runScore(options, io))
  })

  const report = program.command('report').description('Decides, gathers evidence and writes the report, when all shards are scored.')
  addWatchOptions(addResultOptions(report.addOption(runDirOption()))).action(async (options: ReportOptions) => {
    finish(await (await import('./report.ts')).runReport(options, io))
  })

  addReviewCommand(program, { io, finish })
  addCleanCommand(program, { io, finish })
  addScanCommand(program, { io, finish })
  addVerifyCommand(program, { io, finish })
  addDiffCommand(program, { io, finish })
  addSnapshotCommand(program, { io, finish })
  addSignCommands(program, { io, finish })
  addInjectCommand(program, { io, finish })
  addBaselineCommand(program, { io, finish })
  addHistoryCommand(program, { io, finish })
  addWorkerCommand(program, { io, finish })

  program
    .command('convert')
    .description('Renders report.json in another format.')
    .argument('<report>', 'report.json, a run directory, or - for standard input')
    .addOption(
      new Option('--to <format>', 'the format; a PDF needs Chromium or Chrome').choices([...reportFormats, 'pdf']).makeOptionMandatory(),
    )
    .option('-o, --out <file>', 'write here (default: standard output)')
    .addOption(new Option('--template <name>', 'how html and pdf are arranged').choices(templates).default('standard'))
    .option('--sign <key>', 'private key that signs the file: FILE.intoto.json beside it, for "assay verify"')
    .option('--password-env <name>', 'environment variable with the password of that key')
    .action(async (path: string, options: ConvertOptions) => {
      finish(await (await import('./convert.ts')).runConvert(path, options, io))
    })

  program
    .command('explain')
    .description('Shows the page of a rule: what it means, how it is found, what to do.')
    .argument('[rule]', 'such as label-flip/source; absent: the list')
    .action(async (rule: string | undefined) => {
      finish(await (await import('./explain.ts')).runExplain(rule, io))
    })

  program
    .command('schema')
    .description('Prints a JSON Schema, for editors and for checks.')
    .addArgument(new Argument('[name]', 'of which file').choices(schemaNames).default('pipeline'))
    .action(async (name: SchemaName) => {
      finish(await (await import('./schema.ts')).runSchema(name, io))
    })

  return program
}
