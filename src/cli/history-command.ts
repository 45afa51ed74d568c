import { type Command, Option } from 'commander'
import type { HistoryOptions } from './history.ts'
import { wholeNumber } from './options.ts'
import type { Host } from './program.ts'

/** The commands that read what past audits left. */
export function addHistoryCommand(program: Command, { io, finish }: Pick<Host, 'io' | 'finish'>): void {
  const history = program.command('history').summary('list past audits').description('Reads the history that audits keep.')
  const withStore = (command: Command): Command =>
    command
      .option('--history <file>', 'the DuckDB file (default: history.duckdb)')
      .option('--history-env <name>', 'environment variable with the address of a PostgreSQL history')
  withStore(history.command('list'))
    .description('Lists audits, the last one first.')
    .addOption(new Option('-n, --limit <n>', 'how many').argParser(wholeNumber(1, 10_000)).default(30))
    .action(async (options: HistoryOptions) => {
      finish(await (await import('./history.ts')).runHistoryList(options, io))
    })
  withStore(history.command('show'))
    .description('Shows the findings of one audit.')
    .argument('<run>', 'as the list names it, or the start of that')
    .action(async (run: string, options: HistoryOptions) => {
      finish(await (await import('./history.ts')).runHistoryShow(run, options, io))
    })
}
