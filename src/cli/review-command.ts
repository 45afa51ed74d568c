import { type Command, Option } from 'commander'
import { wholeNumber } from './options.ts'
import type { Host } from './program.ts'
import type { ReviewOptions } from './review.ts'

const examples = `
Examples:
  assay review runs/today                                    prints a link; confirm, dismiss and relabel by keyboard
  assay review runs/today --reviewer "Dr. Ada Lovelace"
  assay review runs/today --export-waivers waivers.yaml      what was dismissed, as waivers for 90 days
  assay clean data.csv --decisions runs/today/decisions.jsonl --out cleaned

Decisions are kept in decisions.jsonl in the run directory. The page is served to this computer alone and loads nothing from elsewhere.`

/** The command that shows people what was flagged, and keeps what they decide. */
export function addReviewCommand(program: Command, { io, finish }: Pick<Host, 'io' | 'finish'>): void {
  program
    .command('review')
    .summary('look at what was flagged, and decide')
    .description(
      'Serves a page on this computer with the findings and the flagged records of a run, and keeps what people decide about them.',
    )
    .argument('<run>', 'run directory of "assay audit"')
    .addOption(new Option('--port <n>', 'port on 127.0.0.1').argParser(wholeNumber(0, 65_535)).default(0, 'a free one'))
    .option('--reviewer <name>', 'who decides (default: the name of the user on this computer)')
    .option('--export-waivers <file>', 'write the findings that were dismissed as waivers, and serve nothing')
    .addOption(new Option('--expires-in <days>', 'days until these waivers expire').argParser(wholeNumber(1, 3_650)).default(90))
    .addHelpText('after', examples)
    .action(async (run: string, options: ReviewOptions) => {
      finish(await (await import('./review.ts')).runReview(run, options, io))
    })
}
