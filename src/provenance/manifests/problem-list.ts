import type { Place } from '../../contracts/errors.ts'
import type { ManifestProblem, ProblemCode } from '../../contracts/provenance.ts'

export interface ProblemList {
  readonly all: ManifestProblem[]
  /** What breaks the specification or could deceive. */
  error(code: ProblemCode, message: string, place: Place): void
  /** What the specification calls a warning. */
  warn(code: ProblemCode, message: string, place: Place): void
}

const maxProblems = 1_000

/** Keeps the first 1,000 problems of a manifest, then one that says that there are more. */
export function problemList(file: string): ProblemList {
  const all: ManifestProblem[] = []
  const add = (invalid: boolean) => (code: ProblemCode, message: string, place: Place) => {
    if (all.length < maxProblems) all.push({ code, message, place, invalid })
    else if (all.length === maxProblems) {
      all.push({
        code: 'too-large',
        message: `${file} has more than ${maxProblems.toLocaleString('en')} problems; the others are not listed.`,
        place: { file },
        invalid: true,
      })
    }
  }
  return { all, error: add(true), warn: add(false) }
}

/** Text of a manifest as a message may show it: one line, bounded, no control characters. */
export function shown(text: string, maxLength = 120): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be shown
  const plain = text.slice(0, maxLength + 1).replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, '\ufffd')
  return plain.length > maxLength ? `${plain.slice(0, maxLength)}…` : plain
}
