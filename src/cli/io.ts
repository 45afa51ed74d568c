import type { Readable, Writable } from 'node:stream'

/** A terminal has `isTTY` and `columns`; pipes and files do not. */
export type Output = Writable & { readonly isTTY?: boolean; readonly columns?: number }

/** The world of one command. Nothing in `cli/` but `bin.ts` touches `process` streams. */
export interface Io {
  readonly stdout: Output
  readonly stderr: Output
  readonly stdin: Readable & { readonly isTTY?: boolean }
  readonly env: Readonly<Record<string, string | undefined>>
  /** Aborted by the first Ctrl-C. */
  readonly signal?: AbortSignal
}

/** Resolves when the text has left, also where nobody reads any longer (`assay explain | head -1`). */
export const write = (stream: Writable, text: string | Uint8Array): Promise<void> =>
  new Promise((resolve) => {
    if (stream.destroyed || stream.writableEnded) resolve()
    else stream.write(text, () => resolve())
  })

/** https://no-color.org, https://force-color.org */
export function wantsColor(stream: Output, env: Io['env']): boolean {
  if (env.NO_COLOR) return false
  if (env.FORCE_COLOR && env.FORCE_COLOR !== '0') return true
  return stream.isTTY === true && env.TERM !== 'dumb'
}
