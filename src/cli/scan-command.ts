import { type Command, Option } from 'commander'
import { addResultOptions, addWatchOptions, addWorkers, formatList } from './options.ts'
import type { Host } from './program.ts'
import type { ScanOptions } from './scan.ts'

const collect = (value: string, before: readonly string[] | undefined): readonly string[] => [...(before ?? []), value]

const collectNames = (value: string, before: readonly string[] | undefined): readonly string[] => [
  ...(before ?? []),
  ...value
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== ''),
]

const examples = `
Examples:
  assay scan models/tuned --base base.sha256      which files are those of the base, which are not
  assay scan models/base                          archives, pickles, weights, tokenizer, templates, code
  assay scan model.pt --fail-on medium            also refuse what nobody vouches for
  assay scan models/tuned --base models/base      what was changed, tensor by tensor
  assay scan models/base --key publisher.pub --run-dir runs/base --formats html,sarif

Exit codes: 0 nothing of the severity that fails, 1 refused, 2 something could not be read, 3 nothing to scan, 4 usage.`

/** The command that looks into the files of a base model. */
export function addScanCommand(program: Command, { io, finish }: Pick<Host, 'io' | 'finish'>): void {
  const scan = program
    .command('scan')
    .summary('what arrives with a base model?')
    .description(
      'Looks into the files of a base model as bytes: pickles, PyTorch and other archives, safetensors, GGUF, ONNX, Keras, tokenizer, chat templates, code. Nothing is loaded or executed, nothing is fetched. Manifests and signatures in the folder are verified in the same report.',
    )
    .argument('<path>', 'a folder or a file')
    .optionsGroup('Policy:')
    .option(
      '--base <path>',
      'the pinned base model that this one must come from: tensors, tokenizer and template are compared with it; or a sums file or manifest of it',
    )
    .option('--publishers <list>', 'allowed publishers, separated by commas: a name that imitates one of them is a finding', collectNames)
    .option('--key <file>', 'public key whose signatures are trusted: PEM or minisign; may be repeated', collect)
    .addOption(
      new Option('--fail-on <severity>', 'a finding of this severity or above fails (default: high)').choices([
        'critical',
        'high',
        'medium',
        'low',
        'never',
      ]),
    )
    .optionsGroup('Output:')
    .option('--run-dir <folder>', 'write the reports here')
    .addOption(new Option('--formats <list>', 'reports to write in --run-dir (default: html,json)').argParser(formatList))
  addWatchOptions(addWorkers(addResultOptions(scan)))
    .addHelpText('after', examples)
    .action(async (path: string, options: ScanOptions) => {
      finish(await (await import('./scan.ts')).runScan(path, options, io))
    })
}
