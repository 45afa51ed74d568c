import { AssayError } from '../contracts/errors.ts'

export type ConfigErrorCode =
  | 'unreadable-config'
  | 'config-too-large'
  | 'config-not-utf8'
  | 'config-syntax'
  | 'invalid-config'
  | 'unknown-preset'
  | 'extends-cycle'
  | 'extends-too-deep'
  | 'no-sources'
  | 'untrusted-path'

/** One mistake in a pipeline or waivers file. `line` and `column` are 1-based; 0 where the file as a whole is meant. */
export interface ConfigIssue {
  readonly file: string
  readonly line: number
  readonly column: number
  /** `sources[0].columns.label`; empty for the file as a whole. */
  readonly key: string
  readonly message: string
  readonly hint: string | null
}

const maxIssues = 20

export const formatIssue = (issue: ConfigIssue): string =>
  `${issue.file}${issue.line ? `:${issue.line}:${issue.column}` : ''}: ${issue.key ? `${issue.key}: ` : ''}${issue.message}${issue.hint ? ` (${issue.hint})` : ''}`

/** Every mistake of a file at once, each on its line of the message as `file:line:column: key: what is expected`. Exit 4. */
export class ConfigError extends AssayError<ConfigErrorCode> {
  readonly issues: readonly ConfigIssue[]

  constructor(code: ConfigErrorCode, issues: readonly ConfigIssue[], hint?: string) {
    const shown = issues.slice(0, maxIssues).map(formatIssue)
    if (issues.length > maxIssues) shown.push(`and ${issues.length - maxIssues} more`)
    const first = issues[0]
    super(code, shown.join('\n'), 4, first ? { file: first.file, ...(first.line ? { line: first.line } : {}) } : {}, hint)
    this.issues = issues
  }
}

/** An error that has no line of its own: the file cannot be read, is too large, is not text. */
export const fileError = (code: ConfigErrorCode, file: string, message: string, hint?: string): ConfigError =>
  new ConfigError(code, [{ file, line: 0, column: 0, key: '', message, hint: null }], hint)
