import { type Command, Option } from 'commander'
import { reportFormats } from '../contracts/pipeline.ts'
import type { DiffOptions } from './diff.ts'
import { addResultOptions, addWatchOptions, addWorkers } from './options.ts'
import type { Host } from './program.ts'

const names = (value: string): readonly string[] => value.split(',').map((name) => name.trim())

const examples = `
Examples:
  assay diff published.npz received.npz --classes normal,pneumonia
  assay diff last-night.snapshot labels.parquet --out changes.csv
  assay diff original/ delivery/ --id image --label finding --to html --run-dir compared

Exit codes: 0 the gate passed, 1 it failed (removals of one class, concentrated changes), 2 something could not be read,
4 usage, or the two do not compare.`

/** The command that compares two data sets, two snapshots, or one of each. */
export function addDiffCommand(program: Command, { io, finish }: Pick<Host, 'io' | 'finish'>): void {
  const diff = program
    .command('diff')
    .summary('what changed between two data sets or snapshots')
    .description(
      'Names every record that was added, removed, edited or relabelled, and tests whether the changes pile up in a class, a source, a time or a place.',
    )
    .argument('<before>', 'the trusted side: a data set, or the folder of a snapshot')
    .argument('<after>', 'the side to check')
    .optionsGroup('Columns (guessed where absent; none: there is no such column):')
    .option('--id <column>', 'what names a record; without one, records are told by their content')
    .option('--label <column>', 'the given label')
    .option('--source <column>', 'who labelled or delivered the record')
    .option('--time <column>', 'when it was made or labelled')
    .addOption(new Option('--classes <names>', 'names of integer labels, in order, separated by commas').argParser(names))
    .option('--image-labels <file>', 'CSV file with the labels of a folder of images')
    .addOption(new Option('--ignore <columns>', 'columns left out of the content, separated by commas').argParser(names))
    .option('--schema <file>', 'types of the columns, so that formats do not matter')
    .option('--key-env <name>', 'environment variable with the key of the digests of a keyed snapshot')
    .optionsGroup('Output:')
    .option('-o, --out <file>', 'name every change here: .csv, .jsonl or .parquet')
    .option('--run-dir <folder>', 'write report.json and changes.csv here')
    .addOption(new Option('--to <formats...>', 'write the report in these formats as well').choices(reportFormats))
    .option('--excerpts', 'show text and images of changed records in the reports: they may be personal data')
    .addOption(
      new Option('--fail-on <severity>', 'a finding of this severity or above fails the gate (default: high)').choices([
        'critical',
        'high',
        'medium',
        'low',
        'never',
      ]),
    )
  addWatchOptions(addWorkers(addResultOptions(diff)))
    .addHelpText('after', examples)
    .action(async (before: string, after: string, options: DiffOptions) => {
      finish(await (await import('./diff.ts')).runDiff(before, after, options, io))
    })
}
