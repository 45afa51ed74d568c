import { rowlessIds } from '../contracts/outcome.ts'
import { displayName, failAt, formatKey, issueAt, readYaml, resolveFrom, type YamlFile } from './document.ts'
import { ConfigError, type ConfigIssue, fileError } from './errors.ts'
import { type Layer, toLayer } from './merge.ts'
import { nearest } from './nearest.ts'
import { presetNames, presetPath } from './presets.ts'
import { type PipelineFile, pipelineFile } from './schema.ts'
import { unknownDetector, validate } from './validate.ts'

const maxDepth = 8
const maxFiles = 32
const presetPrefix = 'preset:'

/** A checked file and what it says; `extendedBy` is null for the file that was asked for. */
export interface Loaded {
  readonly yaml: YamlFile
  readonly layer: Layer
  readonly preset: boolean
  readonly extendedBy: string | null
}

function checkDetectors(file: PipelineFile, yaml: YamlFile, known: readonly string[] | undefined): void {
  if (!known) return
  const issues: ConfigIssue[] = []
  for (const id of Object.keys(file.detectors ?? {}))
    if (!known.includes(id)) issues.push(unknownDetector(yaml, ['detectors', id], id, known, 'key'))
  for (const [i, id] of (file.gate?.require ?? []).entries())
    if (!known.includes(id) && !rowlessIds.includes(id))
      issues.push(unknownDetector(yaml, ['gate', 'require', i], id, [...known, ...rowlessIds], 'value'))
  if (issues.length) throw new ConfigError('invalid-config', issues)
}

/** @throws ConfigError `unknown-preset`, naming the nearest one; `fail` says where the name stands. */
export async function findPreset(name: string, fail: (message: string, hint: string) => ConfigError): Promise<string> {
  const names = await presetNames()
  if (names.includes(name)) return presetPath(name)
  const near = nearest(name, names)
  throw fail(`there is no preset ${formatKey([name])}`, near ? `did you mean ${near}?` : `there are ${names.join(', ')}`)
}

/**
 * The file and everything it extends, weakest first: what a later one says wins.
 * @throws ConfigError on a mistake in any of them, a cycle, or more than 8 levels or 32 files
 */
export async function loadChain(path: string, knownDetectors?: readonly string[]): Promise<readonly Loaded[]> {
  const chain: Loaded[] = []
  let files = 0

  const load = async (
    path: string,
    above: readonly string[],
    from: { yaml: YamlFile; at: readonly (string | number)[] } | null,
  ): Promise<void> => {
    if (from && above.includes(path)) {
      const circle = [...above.slice(above.indexOf(path)), path].map(displayName).join(' -> ')
      throw failAt('extends-cycle', from.yaml, from.at, `the files extend each other: ${circle}`)
    }
    files++
    if (from && (above.length > maxDepth || files > maxFiles))
      throw failAt('extends-too-deep', from.yaml, from.at, `more than ${maxDepth} levels or ${maxFiles} files extend one another`)
    const yaml = await readYaml(path).catch((error: unknown) => {
      if (from && error instanceof ConfigError && error.code === 'unreadable-config')
        throw failAt(error.code, from.yaml, from.at, `${displayName(path)}: ${error.issues[0]?.message ?? 'cannot be read'}`)
      throw error
    })
    const file = validate(pipelineFile, yaml)
    checkDetectors(file, yaml, knownDetectors)
    const list = typeof file.extends === 'string' ? [file.extends] : (file.extends ?? [])
    for (const [i, target] of list.entries()) {
      const at = typeof file.extends === 'string' ? ['extends'] : ['extends', i]
      const preset = target.startsWith(presetPrefix)
      const next = preset
        ? await findPreset(
            target.slice(presetPrefix.length),
            (message, hint) => new ConfigError('unknown-preset', [issueAt(yaml, at, message, { hint })]),
          )
        : resolveFrom(yaml, target)
      await load(next, [...above, path], { yaml, at })
    }
    const own = (await presetNames()).some((name) => presetPath(name) === path)
    chain.push({ yaml, layer: toLayer(file, yaml, own), preset: own, extendedBy: from?.yaml.name ?? null })
  }

  await load(path, [], null)
  return chain
}

/** A preset named on the command line. */
export async function loadPreset(name: string, knownDetectors?: readonly string[]): Promise<readonly Loaded[]> {
  const path = await findPreset(name, (message, hint) => fileError('unknown-preset', '--preset', message, hint))
  return loadChain(path, knownDetectors)
}
