import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { packageRoot } from '../contracts/package-root.ts'

const folder = join(packageRoot, 'pipelines')

/** Names of the presets that come with Assay, sorted. */
export const presetNames = async (): Promise<readonly string[]> =>
  (await readdir(folder))
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => name.slice(0, -'.yaml'.length))
    .sort()

export const presetPath = (name: string): string => join(folder, `${name}.yaml`)
