import { Argument, type Command, Option } from 'commander'
import { addWatchOptions, addWorkers } from './options.ts'
import type { Host } from './program.ts'
import type { SnapshotCommandOptions } from './snapshot.ts'

const names = (value: string): readonly string[] => value.split(',').map((name) => name.trim())

const examples = `
Examples:
  assay snapshot records.csv --out snapshots/2026-11-24
  assay snapshot pipeline.yaml --out snapshots/2026-11-25 --previous snapshots/2026-11-24 --sign data.key
  assay snapshot part-1.snapshot part-2.snapshot --out whole.snapshot     snapshots of parts, put together
  assay verify snapshots/2026-11-25 --chain --key data.pub                back to the first one

Every column but id and label is content, source and time as well: --ignore leaves columns out. Without a schema, values count
by their own kind, and a CSV cell is text; with one, the same rows have the same root in every format.

Exit codes: 0 the snapshot holds every record, 2 some could not be read (it is written, and says so), 3 there are none,
4 usage.`

/** The command that states what the records are. */
export function addSnapshotCommand(program: Command, { io, finish }: Pick<Host, 'io' | 'finish'>): void {
  const snapshot = program
    .command('snapshot')
    .summary('state what the records are, to prove later what changed')
    .description(
      'Digests every record into a snapshot with one root, which does not depend on order, files or formats. It can be signed, and chained to the one before.',
    )
    .addArgument(
      new Argument('[data...]', 'files, folders or globs; - for standard input; a pipeline file (.yaml); or snapshots to put together'),
    )
    .option('-o, --out <folder>', 'where the snapshot goes; never overwritten')
    .option('-c, --config <file>', 'pipeline file: its sources, schema, baseline and key; DATA replaces its sources')
    .option('--previous <folder>', 'the snapshot before: chained, and what is unchanged is not read again')
    .option('--sign <file>', 'sign it with this private key')
    .addOption(new Option('--password-env <name>', 'environment variable with the passphrase of the key'))
    .option('--key-env <name>', 'environment variable with a secret for the digests: without it nobody can test guesses of a record')
    .option('--name <name>', 'of the data set')
    .option('--json', 'print the header and what happened as JSON')
    .optionsGroup('Columns (guessed where absent; none: there is no such column):')
    .option('--id <column>', 'what names a record; without one, records are told by their content')
    .option('--label <column>', 'the given label')
    .option('--source <column>', 'who labelled or delivered the record')
    .option('--time <column>', 'when it was made or labelled')
    .addOption(new Option('--classes <names>', 'names of integer labels, in order, separated by commas').argParser(names))
    .option('--image-labels <file>', 'CSV file with the labels of a folder of images')
    .addOption(new Option('--ignore <columns>', 'columns left out of the content, separated by commas').argParser(names))
    .option('--schema <file>', 'types of the columns (YAML or JSON), so that formats do not matter')
    .option('--print-schema', 'print the schema that the data suggest, and do nothing else')
  addWatchOptions(addWorkers(snapshot))
    .addHelpText('after', examples)
    .action(async (data: string[], options: SnapshotCommandOptions) => {
      finish(await (await import('./snapshot.ts')).runSnapshot(data, options, io))
    })
}
