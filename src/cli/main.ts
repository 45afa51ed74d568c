import { version } from '../version.ts'
import { type Io, write } from './io.ts'

/**
 * The program: everything but the process. Resolves to the exit code (0 passed, 1 gate failed, 2 incomplete, 3 nothing
 * audited, 4 usage or configuration, 130 interrupted) and never rejects.
 */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
    await write(io.stdout, `${version}\n`)
    return 0
  }
  return (await import('./execute.ts')).execute(argv, io)
}
