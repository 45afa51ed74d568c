import { Argument, type Command, InvalidArgumentError, Option } from 'commander'
import type { Step } from '../engine/remote/step.ts'
import { wholeNumber } from './options.ts'
import type { Host } from './program.ts'
import type { PlanRemoteOptions } from './worker-plan.ts'

const stepOf = (text: string): Step => {
  const fit = /^fit:(\d{1,2}):(subject|reference)$/.exec(text)
  if (fit) return { kind: 'fit', level: Number(fit[1]), over: fit[2] as 'subject' | 'reference' }
  if (text === 'score' || text === 'flag') return { kind: text }
  throw new InvalidArgumentError('Expected fit:LEVEL:subject, fit:LEVEL:reference, score or flag.')
}

const most = 2 ** 31 - 1
const runDir = (): Option => new Option('--run-dir <folder>', 'the folder with plan and summaries').makeOptionMandatory()
const part = (): Option => new Option('--part <n>', 'number of the partition').argParser(wholeNumber(0, most)).makeOptionMandatory()
const stepOption = (): Option =>
  new Option('--step <step>', 'fit:LEVEL:subject, fit:LEVEL:reference, score or flag').argParser(stepOf).makeOptionMandatory()

const about = `
Every command but plan reads an Arrow IPC stream on standard input and writes one on standard output, with the columns
part, kind, name, seq, rows_in, digest and bytes. An adapter runs them where the records are: docs/scale.md.`

interface Answering {
  readonly runDir: string
  readonly part: number
}

/** What a cluster's engine calls on its machines: the same steps as `audit`, from a stream to a stream. */
export function addWorkerCommand(program: Command, { io, finish }: Pick<Host, 'io' | 'finish'>): void {
  const worker = program
    .command('worker')
    .description('The steps of an audit for the workers of a cluster, from a stream to a stream.')
    .addHelpText('after', about)

  worker
    .command('plan')
    .description('Writes the plan of a run whose records lie behind a cluster, from a sample of them; prints what the coordinator needs.')
    .addOption(runDir())
    .requiredOption('-c, --config <file>', 'pipeline file; the sample replaces its sources')
    .requiredOption('--sample <file>', 'Arrow IPC file with the first records')
    .addOption(new Option('--rows <n>', 'records in all').argParser(wholeNumber(0, Number.MAX_SAFE_INTEGER)).makeOptionMandatory())
    .option('--reference-sample <file>', 'the same of the reference')
    .addOption(new Option('--reference-rows <n>', 'records of the reference').argParser(wholeNumber(0, Number.MAX_SAFE_INTEGER)))
    .option('--seed <text>', '32 hex digits or any text; the same seed gives the same result (default: random)')
    .action(async (options: PlanRemoteOptions) => {
      finish(await (await import('./worker-plan.ts')).runPlanRemote(options, io))
    })

  const answering = async (step: Step, options: Answering): Promise<void> => {
    finish(await (await import('./worker.ts')).runAnswer(step, options.runDir, options.part, io))
  }
  worker
    .command('fit')
    .description('States of one partition: of its records at level 0, of the files that the step before left after that.')
    .addOption(runDir())
    .addOption(part())
    .addOption(new Option('--level <n>', 'fit level, from 0').argParser(wholeNumber(0, 99)).makeOptionMandatory())
    .addOption(new Option('--over <part>', 'which records').choices(['subject', 'reference']).default('subject'))
    .action((options: Answering & { readonly level: number; readonly over: 'subject' | 'reference' }) =>
      answering({ kind: 'fit', level: options.level, over: options.over }, options),
    )
  const kinds = {
    route: 'What one partition sends to the buckets of the exchange.',
    score: 'Scores of one partition, and what they add up to.',
    flag: 'Flags of one partition, and their evidence.',
  } as const
  for (const kind of ['route', 'score', 'flag'] as const) {
    worker
      .command(kind)
      .description(kinds[kind])
      .addOption(runDir())
      .addOption(part())
      .action((options: Answering) => answering({ kind }, options))
  }

  worker
    .command('work')
    .description('Answers of the exchange, for what was sent to buckets, ordered by name.')
    .addOption(runDir())
    .action(async (options: Pick<Answering, 'runDir'>) => {
      finish(await (await import('./worker.ts')).runWork(options.runDir, io))
    })

  worker
    .command('merge')
    .description('States ordered by name and part; those of neighbouring parts become one.')
    .addOption(runDir())
    .addOption(stepOption())
    .addOption(new Option('--fan <n>', 'so many parts become one').argParser(wholeNumber(2, 1_000_000)).default(8))
    .action(async (options: { readonly runDir: string; readonly step: Step; readonly fan: number }) => {
      finish(await (await import('./worker.ts')).runMergeAnswer(options.step, options.runDir, options.fan, io))
    })
  worker
    .command('accept')
    .description('For the coordinator: leaves what comes in the run directory.')
    .addArgument(new Argument('<what>', 'merged states, or segments of the snapshot').choices(['states', 'segments']))
    .addOption(runDir())
    .addOption(stepOption())
    .action(async (what: 'states' | 'segments', options: { readonly runDir: string; readonly step: Step }) => {
      finish(await (await import('./worker.ts')).runAccept(what, options.step, options.runDir, io))
    })
}
