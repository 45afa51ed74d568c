import type { DeclaredFacts, DeliveredFile, Delivery, Manifest, ManifestFormat } from '../../contracts/provenance.ts'
import { readText } from './bounded-text.ts'
import { columnsOfFeatures } from './data-card/features.ts'
import { baseName } from './lookup.ts'
import type { ProblemList } from './problem-list.ts'
import { problemList, shown } from './problem-list.ts'
import { isDictionary, list, parseJson, parseYaml, property, string, wholeNumber } from './structured.ts'

const maxBytes = 16 * 1024 * 1024
const maxFrontMatter = 1024 * 1024
const maxConfigurations = 1_000
const maxSplits = 10_000

/** What Hugging Face data sets say of themselves: the front matter of a dataset card, `dataset_infos.json` and `dataset_info.json`. Facts, no files. */
export const dataCard: ManifestFormat = {
  kind: 'data-card',
  title: 'Data card',
  detect({ path }, head) {
    const name = baseName(path)
    return (
      name === 'dataset_infos.json' ||
      name === 'dataset_info.json' ||
      (/^readme\.md$/i.test(name) && /^---[ \t]*\r?\n/.test(new TextDecoder().decode(head())))
    )
  },
  async confirm(file, delivery) {
    if (/\.json$/.test(file.path)) return true
    const text = await readText(delivery, file.path, maxBytes, problemList(file.path))
    return text !== null && /^dataset_info:/m.test(frontMatter(text) ?? '')
  },
  async read(file, delivery) {
    const problems = problemList(file.path)
    return manifestOf(file, await factsOf(file, delivery, problems), problems)
  },
}

const manifestOf = (file: DeliveredFile, facts: readonly DeclaredFacts[], problems: ProblemList): Manifest => ({
  kind: 'data-card',
  title: 'Data card',
  file: file.path,
  version: null,
  entries: [],
  closed: null,
  ignored: [],
  own: [file.path],
  signatures: [],
  problems: problems.all,
  facts,
})

/** YAML between the two `---` at the beginning of a card; null where there is none. */
function frontMatter(text: string): string | null {
  const match = /^---[ \t]*\r?\n([\s\S]*?)\r?\n---[ \t]*(?:\r?\n|$)/.exec(text.slice(0, maxFrontMatter))
  return match?.[1] ?? null
}

async function factsOf({ path }: DeliveredFile, delivery: Delivery, problems: ProblemList): Promise<DeclaredFacts[]> {
  const text = await readText(delivery, path, maxBytes, problems)
  if (text === null) return []
  const json = path.endsWith('.json')
  const yaml = json ? null : frontMatter(text)
  if (!json && yaml === null) {
    problems.error('malformed', `${path} begins with front matter that does not end.`, { file: path, line: 1 })
    return []
  }
  const tree = yaml === null ? parseJson(text, path) : await parseYaml(yaml, path)
  if ('code' in tree) {
    problems.error(tree.code, tree.message, tree.place)
    return []
  }
  const configurations = configurationsOf(tree.value, baseName(path)).slice(0, maxConfigurations)
  return configurations.flatMap(([name, info]) => configurationFacts(info, `${path}, configuration ${shown(name)}`, path, problems))
}

function configurationsOf(document: unknown, name: string): (readonly [string, unknown])[] {
  if (name === 'dataset_infos.json') return isDictionary(document) ? Object.entries(document) : []
  const infos = name === 'dataset_info.json' ? [document] : list(property(document, 'dataset_info'))
  return infos.map((info) => [string(property(info, 'config_name')) ?? 'default', info])
}

function configurationFacts(info: unknown, by: string, file: string, problems: ProblemList): DeclaredFacts[] {
  if (!isDictionary(info)) {
    problems.error('malformed', `${by} is not an object.`, { file })
    return []
  }
  const splits = splitsOf(property(info, 'splits'))
  const { columns, classNames } = columnsOfFeatures(property(info, 'features'))
  if (splits === null && columns === null) return []
  const rows = splits === null ? null : [...splits.values()].reduce((sum, count) => sum + count, 0)
  return [
    {
      rows,
      classes: null,
      ...(classNames === null ? {} : { classNames }),
      columns,
      splits: splits === null ? null : Object.fromEntries(splits),
      files: null,
      by,
    },
  ]
}

/** `splits` as a list of `{name, num_examples}` or an object of them; null where one of them has no count. */
function splitsOf(value: unknown): Map<string, number> | null {
  const items = Array.isArray(value) ? value.map((item) => [null, item] as const) : isDictionary(value) ? Object.entries(value) : []
  const splits = new Map<string, number>()
  for (const [key, item] of items.slice(0, maxSplits)) {
    const name = string(property(item, 'name')) ?? key
    const count = wholeNumber(property(item, 'num_examples'))
    if (name === null || count === null) return null
    splits.set(name, count)
  }
  return splits.size === 0 ? null : splits
}
