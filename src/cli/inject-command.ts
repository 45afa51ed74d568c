import { Argument, type Command, InvalidArgumentError, Option } from 'commander'
import type { InjectCommandOptions } from './inject.ts'
import { fraction, roleOptions, wholeNumber } from './options.ts'
import type { Host } from './program.ts'

const examples = `
Examples:
  assay inject --list                                                            every attack and its options
  assay inject mnist.npz --attack patch --rate 1% --target 0 --seed 7 --out poisoned
  assay inject scans/ --attack blend --rate .05 --target normal --option alpha=.1 --out poisoned
  assay inject records.csv --label diagnosis --attack flip-pair --option from=malignant --option to=benign --rate .02 --out poisoned
  assay audit poisoned/records.csv                                               does the audit find it?

The copy keeps its format; truth.csv names every changed record, inject.json says how. Exit codes: 0 written, 2 the input cannot be
read, 4 usage.`

const pair = (text: string, before: readonly (readonly [string, string])[] = []): readonly (readonly [string, string])[] => {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('Expected name=value.')
  return [...before, [text.slice(0, at), text.slice(at + 1)] as const]
}

/** The command that makes poisoned data to test an audit with. */
export function addInjectCommand(program: Command, { io, finish }: Pick<Host, 'io' | 'finish'>): void {
  const inject = program
    .command('inject')
    .summary('apply a known attack to a copy of a data set, to test an audit')
    .description('Red team: applies a known attack to a copy of a data set, with written truth. The input is never changed.')
    .addArgument(new Argument('[data...]', 'files, folders or globs; or one pipeline file (.yaml)'))
    .option('--attack <name>', 'what is done; --list shows the attacks')
    .option('--list', 'print the attacks with their options')
    .addOption(new Option('--rate <fraction>', 'share of the records that change').argParser(fraction))
    .addOption(new Option('--count <n>', 'how many records change, instead of a rate').argParser(wholeNumber(1, 2 ** 32 - 1)))
    .addOption(new Option('--of <records>', 'what the rate is a share of').choices(['all', 'eligible']).default('all'))
    .option('--target <label>', 'label that goes with the mark')
    .option('--clean-label', 'mark records of the target alone, and keep their label')
    .addOption(new Option('-o, --option <name=value>', 'option of the attack; may be repeated').argParser(pair))
    .option('--seed <text>', '32 hex digits or any text; the same seed gives the same bytes (default: random)')
    .option('--out <folder>', 'new folder for the copy, truth.csv and inject.json')
    .optionsGroup('Columns (guessed where absent; an array of the .npz, or .npy files):')
  for (const role of roleOptions) {
    const list = role === 'embedding' || role === 'features' || role === 'predictions'
    const option = new Option(`--${role} <${list ? 'columns' : 'column'}>`)
    inject.addOption(list ? option.argParser((value: string) => value.split(',')) : option)
  }
  inject
    .option('--image-labels <file>', 'CSV file with the labels of a folder of images')
    .addHelpText('after', examples)
    .action(async (data: string[], options: InjectCommandOptions) => {
      finish(await (await import('./inject.ts')).runInject(data, options, io))
    })
}
