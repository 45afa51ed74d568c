import { Argument, type Command } from 'commander'
import type { CleanOptions } from './clean.ts'
import type { Host } from './program.ts'

const examples = `
Examples:
  assay clean data.csv --decisions runs/today/decisions.jsonl --out cleaned
  assay clean --decisions runs/today/decisions.jsonl --apply-labels --out cleaned      relabelled records stay, corrected
  assay clean --decisions runs/today/decisions.jsonl --only-dismissed --out trusted    a reference that a person has looked at

The copy keeps its format. removed.csv says which records are not in it, why, and who decided; SHA256SUMS covers all of it. The data must
be, byte for byte, those that the run audited. Exit codes: 0 written, 2 the data have changed or cannot be read, 4 usage.`

/** The command that writes the data without what people confirmed as poison. */
export function addCleanCommand(program: Command, { io, finish }: Pick<Host, 'io' | 'finish'>): void {
  program
    .command('clean')
    .summary('copy a data set without confirmed poison')
    .description('Copies the data of a reviewed run without the records that were confirmed as poison. The input is never changed.')
    .addArgument(new Argument('[data...]', 'files, folders or the pipeline file (default: where the run read them)'))
    .requiredOption('--decisions <file>', 'decisions.jsonl of a review')
    .requiredOption('--out <folder>', 'new folder for the copy')
    .option('--run-dir <folder>', 'the run that was reviewed (default: the folder of the decisions)')
    .option('--apply-labels', 'keep relabelled records, with their new label (default: they are removed as well)')
    .option('--only-dismissed', 'keep only the records that were dismissed')
    .addHelpText('after', examples)
    .action(async (data: string[], options: CleanOptions) => {
      finish(await (await import('./clean.ts')).runClean(data, options, io))
    })
}
