import { type Command, Option } from 'commander'
import { reportFormats } from '../contracts/pipeline.ts'
import { digestAlgorithms } from '../contracts/provenance.ts'
import { addResultOptions, addWatchOptions, addWorkers, fraction } from './options.ts'
import type { Host } from './program.ts'
import type { VerifyOptions } from './verify.ts'

const collect = (value: string, before: readonly string[] | undefined): readonly string[] => [...(before ?? []), value]

const examples = `
Examples:
  assay verify delivery                                 by whatever manifests lie in it
  assay verify delivery --key publisher.pub             and only if this key signed one that names every file
  assay verify delivery --manifest ~/SHA256SUMS         by a manifest that came another way
  assay verify model.bin --bundle model.sigstore.json --identity release@example.org --issuer https://accounts.google.com
  assay verify snapshots/today --chain --key data.pub   a snapshot, and those before it
  assay verify verdict.intoto.json --key auditor.pub    a signed statement

A key, certificate or identity on the command line demands a trusted signature; --no-require-signature only reports it.

Exit codes: 0 verified as the policy asks, 1 not, 2 something could not be read, 3 nothing to verify: no manifest was found,
4 usage.`

/** The command that holds a delivery against its manifests and signatures. */
export function addVerifyCommand(program: Command, { io, finish }: Pick<Host, 'io' | 'finish'>): void {
  const verify = program
    .command('verify')
    .summary('is this what the publisher released?')
    .description(
      'Verifies a folder, or one file, against the manifests and signatures that come with it: OpenSSF Model Signing, Sigstore, in-toto, checksum files, BagIt, Croissant, Data Package, DVC, Hugging Face, tables of URLs. Nothing is fetched.',
    )
    .argument('<path>', 'a folder or a file; a folder that "assay snapshot" made')
    .option('--manifest <file>', 'this manifest and no other; may be repeated, and lie elsewhere (default: found by looking)', collect)
    .option('--bundle <file>', 'Sigstore bundle of a single file; may be repeated', collect)
    .option('--chain [folder]', 'of a snapshot: follow it back through those in this folder (default: beside it)')
    .optionsGroup('Policy:')
    .option('--key <file>', 'public key that you trust: PEM or minisign; may be repeated', collect)
    .option('--certificate <file>', 'certificate of an authority that you trust; may be repeated', collect)
    .option(
      '--identity <identity>',
      'who may sign with Sigstore: an email address or a URI, in full; may be repeated, each with its issuer',
      collect,
    )
    .option('--issuer <url>', 'who vouches for the identity before it', collect)
    .option('--trusted-root <file>', 'of Sigstore, as JSON (default: that of the public instance)')
    .addOption(new Option('--weakest <algorithm>', 'weaker digests do not verify a file (default: sha256)').choices(digestAlgorithms))
    .addOption(new Option('--require-coverage <fraction>', 'of files, and of bytes, that must be verified').argParser(fraction))
    .addOption(
      new Option('--unlisted <what>', 'a file that no manifest names is nothing, a finding, or fails (default: report)').choices([
        'allow',
        'report',
        'fail',
      ]),
    )
    .option('--require-signature', 'every file must be named by a manifest that somebody signed whom you trust')
    .option('--no-require-signature', 'a missing signature, or one by a stranger, only counts as medium')
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
    .addOption(new Option('--to <format>', 'the report in this format instead of the summary').choices(reportFormats))
    .option('-o, --out <file>', 'write it here (default: standard output)')
    .option('--run-dir <folder>', 'write report.html and report.json here as well')
  addWatchOptions(addWorkers(addResultOptions(verify)))
    .addHelpText('after', examples)
    .action(async (path: string, options: VerifyOptions) => {
      finish(await (await import('./verify.ts')).runVerify(path, options, io))
    })
}
