import { existsSync } from 'node:fs'
import { CommanderError } from 'commander'
import { escapeTerminal } from '../report/escape.ts'
import { explainError, interruptedExit } from './errors.ts'
import { type Io, write } from './io.ts'
import { openLog } from './log.ts'
import { buildProgram } from './program.ts'

const usageExit = 4
/** How long work may take to stop after Ctrl-C. The run directory is safe at any moment. */
const graceMs = 3000

const quote = (word: string): string => (/^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)

function interruptedNote(argv: readonly string[], runDir: string | null): string {
  if (runDir === null) return 'interrupted\n'
  const words = argv.includes('--resume') ? [...argv] : [...argv, '--resume']
  if (!argv.some((word) => word === '--run-dir' || word.startsWith('--run-dir='))) words.push('--run-dir', runDir)
  return `interrupted; resume with: assay ${words.map((w) => quote(escapeTerminal(w))).join(' ')}\n`
}

const aborted = (signal: AbortSignal | undefined): Promise<'aborted'> =>
  new Promise((resolve) => {
    const later = (): void => {
      setTimeout(() => resolve('aborted'), graceMs).unref()
    }
    if (signal?.aborted) later()
    else signal?.addEventListener('abort', later, { once: true })
  })

const isInterruption = (error: unknown): boolean => (error as { code?: unknown } | null)?.code === 'interrupted'

/** A usage error as commander words it, and what the user may have meant. */
function usageText(error: CommanderError, argv: readonly string[]): string {
  const [first = '', ...more] = error.message
    .replace(/^error: /, '')
    .split('\n')
    .map(escapeTerminal)
  const word = argv[0] ?? ''
  const isData = error.code === 'commander.unknownCommand' && (existsSync(word) || /[*?/.]/.test(word))
  const hint = isData
    ? `to audit it: assay audit ${quote(escapeTerminal(word))}`
    : 'assay --help, or assay COMMAND --help, lists what there is'
  return [`assay: ${first}`, ...more.map((line) => `  ${line}`), `  hint: ${hint}`, ''].join('\n')
}

const asksForDebug = (argv: readonly string[]): boolean =>
  argv.some((word, i) => word === '--log-level=debug' || (word === 'debug' && argv[i - 1] === '--log-level'))

/** Parses and runs one command; see `main.ts`. */
export async function execute(argv: readonly string[], io: Io): Promise<number> {
  let code = 0
  let runDir: string | null = null
  let printed = ''
  const program = buildProgram({
    io,
    finish: (exit) => {
      code = exit
    },
    started: (dir) => {
      runDir = dir
    },
    out: (text) => {
      printed += text
    },
  })
  const debug = openLog(asksForDebug(argv) ? 'debug' : 'error', io.stderr.isTTY === true, (line) => io.stderr.write(`${line}\n`))
  try {
    if (argv.length === 0) {
      await write(io.stderr, program.helpInformation())
      return usageExit
    }
    const outcome = await Promise.race([program.parseAsync([...argv], { from: 'user' }), aborted(io.signal)])
    if (outcome !== 'aborted') return code
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) {
        await write(io.stdout, printed)
        return 0
      }
      await write(io.stderr, usageText(error, argv))
      return usageExit
    }
    if (!isInterruption(error) && !io.signal?.aborted) {
      const { text, exit } = explainError(error, (message, fields) => debug('debug', message, fields))
      await write(io.stderr, text)
      return exit
    }
  }
  await write(io.stderr, interruptedNote(argv, runDir))
  return interruptedExit
}
