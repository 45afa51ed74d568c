import { Argument, type Command, Option } from 'commander'
import { keyTypeNames } from './key-types.ts'
import type { KeygenOptions } from './keygen.ts'
import { addWatchOptions, addWorkers } from './options.ts'
import type { Host } from './program.ts'
import type { SignOptions } from './sign.ts'

const passwordOption = (): Option => new Option('--password-env <name>', 'environment variable with the passphrase of the key')

const signExamples = `
Examples:
  assay keygen --out vendor                            vendor.key and vendor.pub
  assay sign delivery --key vendor.key                 delivery/model.sig, in the format of OpenSSF model signing
  assay sign delivery --key vendor.key --sums --bom    with SHA256SUMS and a bill of materials, both signed as well
`

/** Commands that make keys and sign with them. */
export function addSignCommands(program: Command, { io, finish }: Pick<Host, 'io' | 'finish'>): void {
  program
    .command('keygen')
    .summary('make a pair of keys')
    .description('Makes a pair of keys: NAME.key signs, NAME.pub goes to who verifies. Nothing is overwritten.')
    .addOption(
      new Option('--type <type>', 'p256 and p384 work with the reference tool of OpenSSF model signing')
        .choices(keyTypeNames)
        .default('p256'),
    )
    .addOption(new Option('--out <name>', 'path of the files without .key and .pub').makeOptionMandatory())
    .addOption(passwordOption())
    .action(async (options: KeygenOptions) => {
      finish(await (await import('./keygen.ts')).runKeygen(options, io))
    })

  const sign = program
    .command('sign')
    .summary('sign a folder')
    .description('Signs the files of a folder with a key; writes the signature, and nothing that is not named here.')
    .addArgument(new Argument('<folder>', 'whose files are signed'))
    .option('--key <file>', 'private key in PEM: ECDSA P-256, P-384, P-521 or ed25519')
    .addOption(passwordOption())
    .option('-o, --out <file>', 'the signature (default: model.sig in the folder)')
    .option('--sums [file]', 'write SHA256SUMS as well')
    .option('--bom [file]', 'write a CycloneDX bill of materials as well (default: bom.cdx.json)')
    .option('--name <name>', 'of the data set, for the bill of materials (default: that of the folder)')
    .option('--release <version>', 'of the data set, for the bill of materials')
    .option('--license <license>', 'for the bill of materials')
    .option('--supplier <name>', 'for the bill of materials')
    .option('--ignore <path...>', 'files or folders, relative to the folder, that are not signed')
    .option('--force', 'overwrite the files named here')
  addWatchOptions(addWorkers(sign))
    .addHelpText('after', signExamples)
    .action(async (folder: string, options: SignOptions) => {
      finish(await (await import('./sign.ts')).runSign(folder, options, io))
    })
}
