import { createRequire } from 'node:module'
import type { Logger } from 'pino'
import { escapeTerminal } from '../report/escape.ts'

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]
type Level = Exclude<LogLevel, 'silent'>
export type Log = (level: Level, message: string, fields?: object) => void

const require = createRequire(import.meta.url)
const names: { readonly [level: number]: string } = { 20: 'debug', 30: 'info', 40: 'warning', 50: 'error' }

function human(json: string): string {
  const { level, msg, time: _, ...fields } = JSON.parse(json) as { level: number; msg: string; time: unknown; [key: string]: unknown }
  const rest = Object.entries(fields).map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
  return escapeTerminal([`${names[level] ?? level}: ${msg}`, ...rest].join(' '))
}

/** pino, one JSON object a line, or plain words where a person reads. Loaded by the first message that is loud enough. */
export function openLog(level: LogLevel, forPeople: boolean, put: (line: string) => void): Log {
  const threshold = logLevels.indexOf(level)
  let logger: Logger | null = null
  return (at, message, fields = {}) => {
    if (logLevels.indexOf(at) < threshold) return
    if (!logger) {
      const { pino } = require('pino') as typeof import('pino')
      const write = (line: string): void => put(forPeople ? human(line) : line.trimEnd())
      logger = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, { write })
    }
    logger[at](fields, message)
  }
}
