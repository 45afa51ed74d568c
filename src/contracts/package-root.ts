import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

function climb(from: string): string {
  const up = dirname(from)
  return existsSync(join(from, 'package.json')) || up === from ? from : climb(up)
}

/** The folder of the package's own files (`docs/rules`, `pipelines`), from the sources and from the bundle alike. */
export const packageRoot: string = climb(dirname(fileURLToPath(import.meta.url)))
