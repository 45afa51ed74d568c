import { type Command, InvalidArgumentError, Option } from 'commander'
import type { BaselineOptions } from './baseline.ts'
import type { Host } from './program.ts'

const margin = (text: string): number => {
  const value = text.endsWith('%') ? Number(text.slice(0, -1)) / 100 : Number(text)
  if (text.trim() === '' || !(value >= 0 && value <= 10)) throw new InvalidArgumentError('Expected a number from 0 to 10, or a percentage.')
  return value
}

const examples = `
Examples:
  assay baseline update runs/ci --out known-findings.json     accept what that run found, as it is
  assay audit pipeline.yaml --known known-findings.json       only what is new, or has grown, fails the gate
  assay baseline prune runs/ci --out known-findings.json      drop what is no longer found

In a pipeline file: gate: { known: known-findings.json }. A known finding stays in the report. Keep the file where those who
deliver the data cannot write. "--baseline" of an audit is something else: a snapshot that records are compared with.`

/** The commands that keep the list of findings which were accepted as they were. */
export function addBaselineCommand(program: Command, { io, finish }: Pick<Host, 'io' | 'finish'>): void {
  const baseline = program.command('baseline').summary('keep the list of known findings').description('Accepts findings as they are.')
  const file = (): Option => new Option('-o, --out <file>', 'the list of known findings').makeOptionMandatory()
  baseline
    .command('update')
    .description('Accepts every finding of a report as it is, on top of what is known already.')
    .argument('<report>', 'report.json, or a run directory')
    .addOption(file())
    .addOption(new Option('--margin <share>', 'how far a count may grow before the finding comes back').argParser(margin).default(0, '0'))
    .addHelpText('after', examples)
    .action(async (path: string, options: BaselineOptions) => {
      finish(await (await import('./baseline.ts')).runUpdate(path, options, io))
    })
  baseline
    .command('prune')
    .description('Drops known findings that the report looked for and did not find.')
    .argument('<report>', 'report.json, or a run directory')
    .addOption(file())
    .addHelpText('after', examples)
    .action(async (path: string, options: BaselineOptions) => {
      finish(await (await import('./baseline.ts')).runPrune(path, options, io))
    })
}
