import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix, relative, resolve, sep } from 'node:path'
import { describe, expect, it } from 'vitest'
import { baseModelRules } from '../src/artifacts/rules.ts'
import { baseModelId, coverageId, historyId, provenanceId } from '../src/contracts/outcome.ts'
import { detectors } from '../src/detectors/registry.ts'
import { blindSpotRule } from '../src/engine/sensitivity/rule.ts'
import { triggerResponse } from '../src/engine/trigger-response-rule.ts'
import { historyRules } from '../src/history/rules.ts'
import { provenanceRules } from '../src/provenance/rules.ts'
import { taxaOf } from '../src/taxonomy/taxonomies.ts'

const root = resolve(import.meta.dirname, '..')
const src = join(root, 'src')

/** Which folders of src a folder may import, besides itself. Left out: index.ts, which may import all. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  contracts: [],
  artifacts: ['contracts', 'math'],
  math: ['contracts'],
  statistics: ['contracts', 'math'],
  detectors: ['contracts', 'math', 'statistics'],
  provenance: ['contracts', 'math', 'statistics'],
  history: ['contracts', 'math'],
  notify: ['contracts'],
  taxonomy: ['contracts'],
  sources: ['contracts', 'math'],
  stores: ['contracts', 'sources'],
  features: ['contracts', 'math'],
  inject: ['contracts', 'math', 'sources', 'features'],
  report: ['contracts', 'math', 'taxonomy'],
  config: ['contracts'],
  engine: [
    'contracts',
    'math',
    'artifacts',
    'statistics',
    'detectors',
    'provenance',
    'history',
    'sources',
    'stores',
    'features',
    'report',
    'taxonomy',
    'inject',
  ],
  review: ['contracts', 'math', 'sources', 'features', 'provenance', 'inject', 'engine', 'report'],
  cli: ['contracts', 'artifacts', 'config', 'engine', 'history', 'inject', 'notify', 'report', 'review', 'taxonomy'],
}

/** Loaded by a run only when it needs them: together they cost seconds and hundreds of megabytes. */
const heavy = [
  'onnxruntime-node',
  'onnx-proto',
  '@duckdb/node-api',
  'sharp',
  'echarts',
  '@huggingface/transformers',
  'hyparquet-writer',
  'pg',
  'piscina',
]

const maxLines = 300

const filesUnder = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()

interface Import {
  readonly from: string
  readonly typeOnly: boolean
  readonly dynamic: boolean
}

const withoutComments = (code: string): string => code.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')

/** The import and re-export statements of a module, and its `import()` expressions with a literal. */
function importsOf(code: string): Import[] {
  const text = withoutComments(code)
  const found: Import[] = []
  for (const [, keyword, clause = '', from = ''] of text.matchAll(/^\s*(import|export)\s+([^'";]*?\sfrom\s+)?'([^'\n]+)'/gm)) {
    if (keyword === 'export' && clause === '') continue
    const names = clause
      .match(/\{([\s\S]*)\}/)?.[1]
      ?.split(',')
      .filter((name) => name.trim() !== '')
    const typeOnly =
      /^type\s/.test(clause) || (names !== undefined && /^\s*\{/.test(clause) && names.every((name) => /^\s*type\s/.test(name)))
    found.push({ from, typeOnly, dynamic: false })
  }
  for (const [whole, type, from = ''] of text.matchAll(/(typeof\s+)?\bimport\(\s*'([^'\n]+)'/g)) {
    if (whole) found.push({ from, typeOnly: type !== undefined, dynamic: true })
  }
  return found
}

const name = (file: string): string => relative(root, file).split(sep).join(posix.sep)
const modules = filesUnder(src).map((file) => {
  const code = readFileSync(file, 'utf8')
  return {
    file,
    name: name(file),
    folder: name(file).split('/').length > 2 ? (name(file).split('/')[1] as string) : null,
    code,
    imports: importsOf(code),
  }
})

describe('the parser of this test', () => {
  it.each([
    ["import { a } from './a.ts'", [{ from: './a.ts', typeOnly: false, dynamic: false }]],
    ["import type { A } from './a.ts'", [{ from: './a.ts', typeOnly: true, dynamic: false }]],
    ["import { type A, type B } from './a.ts'", [{ from: './a.ts', typeOnly: true, dynamic: false }]],
    ["import {\n  a,\n  type B,\n} from './a.ts'", [{ from: './a.ts', typeOnly: false, dynamic: false }]],
    ["import './a.ts'", [{ from: './a.ts', typeOnly: false, dynamic: false }]],
    ["export { a } from './a.ts'", [{ from: './a.ts', typeOnly: false, dynamic: false }]],
    ["const a = await import('./a.ts')", [{ from: './a.ts', typeOnly: false, dynamic: true }]],
    ["type A = typeof import('./a.ts')", [{ from: './a.ts', typeOnly: true, dynamic: true }]],
    ["// import { a } from './a.ts'\nexport const b = 'c'", []],
  ])('reads %j', (code, expected) => {
    expect(importsOf(code)).toEqual(expected)
  })
})

describe('the house', () => {
  it('has only the folders that the import rule knows', () => {
    const folders = readdirSync(src, { withFileTypes: true }).filter((entry) => entry.isDirectory())
    expect(folders.map((entry) => entry.name).filter((folder) => !(folder in allowed))).toEqual([])
  })

  it('imports in one direction', () => {
    const wrong = modules.flatMap(({ file, name: importer, folder, imports }) =>
      imports.flatMap(({ from }) => {
        if (folder === null || !from.startsWith('.')) return []
        const path = relative(src, resolve(dirname(file), from)).split(sep)
        const target = path.length > 1 ? (path[0] as string) : null
        const fine = target === null || target === folder || allowed[folder]?.includes(target)
        return fine ? [] : [`${importer} imports ${from}`]
      }),
    )
    expect(wrong).toEqual([])
  })

  it('imports nothing from outside src but packages, and only files that exist', () => {
    const wrong = modules.flatMap(({ file, name: importer, imports }) =>
      imports
        .filter(({ from }) => from.startsWith('.'))
        .map(({ from }) => ({ from, path: resolve(dirname(file), from) }))
        .filter(({ path }) => !path.startsWith(src + sep) || !existsSync(path) || !path.endsWith('.ts'))
        .map(({ from }) => `${importer} imports ${from}`),
    )
    expect(wrong).toEqual([])
  })

  it('has no circle of imports at run time', () => {
    const edges = new Map(
      modules.map(({ file, imports }) => [
        file,
        imports.filter((i) => i.from.startsWith('.') && !i.typeOnly && !i.dynamic).map((i) => resolve(dirname(file), i.from)),
      ]),
    )
    const state = new Map<string, 'open' | 'done'>()
    const circles: string[] = []
    const visit = (file: string, path: readonly string[]): void => {
      if (state.get(file) === 'done') return
      if (state.get(file) === 'open') {
        circles.push([...path.slice(path.indexOf(file)), file].map(name).join(' -> '))
        return
      }
      state.set(file, 'open')
      for (const next of edges.get(file) ?? []) visit(next, [...path, file])
      state.set(file, 'done')
    }
    for (const { file } of modules) visit(file, [])
    expect(circles).toEqual([])
  })

  it('loads heavy packages only where they are used', () => {
    const wrong = modules.flatMap(({ name: importer, imports }) =>
      imports
        .filter((i) => !i.typeOnly && !i.dynamic && heavy.some((p) => i.from === p || i.from.startsWith(`${p}/`)))
        .map((i) => `${importer} imports ${i.from}`),
    )
    // `stores` is loaded late as a whole.
    const late = modules
      .filter((m) => m.folder !== 'stores')
      .flatMap(({ name: importer, imports }) =>
        imports.filter((i) => !i.typeOnly && !i.dynamic && i.from.includes('/stores/')).map((i) => `${importer} imports ${i.from}`),
      )
    expect([...wrong.filter((w) => !/^src\/stores\/.* imports pg$/.test(w)), ...late]).toEqual([])
  })
})

describe('every file', () => {
  it(`has at most ${maxLines} lines`, () => {
    const long = modules.map((m) => ({ file: m.name, lines: m.code.split('\n').length - 1 })).filter((m) => m.lines > maxLines)
    expect(long).toEqual([])
  })

  it('exports by name', () => {
    expect(modules.filter((m) => /^export default\b/m.test(withoutComments(m.code))).map((m) => m.name)).toEqual([])
  })

  it('is no barrel, but for index.ts', () => {
    const barrels = modules.filter(({ file, code }) => {
      if (file === join(src, 'index.ts')) return false
      const text = withoutComments(code)
      const own = text.replace(/^export\s+(type\s+)?(\*(\s+as\s+\w+)?|\{[^}]*\})\s+from\s+'[^']+'\s*$/gm, '').trim()
      return /^export\s+\*/m.test(text) || (own === '' && text.trim() !== '')
    })
    expect(barrels.map((m) => m.name)).toEqual([])
  })

  it('tells of nothing unfinished', () => {
    const wrong = [...filesUnder(src), ...filesUnder(join(root, 'test'))]
      .filter((file) => file !== import.meta.filename)
      .filter((file) => /\b(TODO|FIXME|XXX)\b|\b(it|test|describe)\.(skip|only|todo)\(/.test(readFileSync(file, 'utf8')))
    expect(wrong.map(name)).toEqual([])
  })
})

describe('registries are complete', () => {
  const statistics = modules
    .filter((m) => m.folder === 'statistics')
    .flatMap((m) =>
      [...m.code.matchAll(/^export (?:const|function) (\w+)\b.*\): Statistic</gm)].map(([, statistic]) => statistic as string),
    )

  it('knows the statistics', () => {
    expect(statistics.length).toBeGreaterThan(0)
  })

  it.each(statistics)('the laws of %s are tested', (statistic) => {
    expect(readFileSync(join(root, 'test/statistics/laws.test.ts'), 'utf8')).toMatch(new RegExp(`\\b${statistic}\\b`))
  })

  it('lists every detector once, in order', () => {
    const ids = detectors.map((d) => d.id)
    expect(ids).toEqual([...new Set(ids)].sort())
    const folder = join(src, 'detectors')
    const entries = readdirSync(folder).filter((entry) => !['registry.ts', 'errors.ts'].includes(entry))
    const registry = readFileSync(join(folder, 'registry.ts'), 'utf8')
    for (const entry of entries) expect(registry).toContain(`'./${entry}`)
  })

  it.each(detectors.map((d) => [d.id, d] as const))('%s has a test', (id) => {
    const tests = filesUnder(join(root, 'test/detectors')).map(name)
    expect(tests.filter((test) => test.startsWith(`test/detectors/${id}`) && test.endsWith('.test.ts'))).not.toEqual([])
  })

  const rules = [
    ...detectors,
    { id: provenanceId, rules: provenanceRules },
    { id: historyId, rules: historyRules },
    { id: baseModelId, rules: [...baseModelRules, triggerResponse] },
    { id: coverageId, rules: [blindSpotRule] },
  ].flatMap((d) => d.rules.map((rule) => [rule.id, rule, d.id] as const))

  it('names each rule once', () => {
    expect(new Set(rules.map(([id]) => id)).size).toBe(rules.length)
  })

  it.each(rules)('%s has its page, its taxonomy and its test', (id, rule, detector) => {
    expect(id.startsWith(`${detector}/`)).toBe(true)
    const page = join(root, 'docs/rules', `${id}.md`)
    expect(existsSync(page), `docs/rules/${id}.md`).toBe(true)
    expect(readFileSync(page, 'utf8')).toContain(id)
    expect(taxaOf(rule.family).length).toBeGreaterThan(0)
    const tests = filesUnder(join(root, 'test')).filter((file) => file.endsWith('.test.ts') && file !== import.meta.filename)
    expect(tests.some((file) => readFileSync(file, 'utf8').includes(id))).toBe(true)
  })

  it('has no page without a rule', () => {
    const pages = readdirSync(join(root, 'docs/rules'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.md'))
      .map((entry) => relative(join(root, 'docs/rules'), join(entry.parentPath, entry.name)).split(sep).join('/').replace(/\.md$/, ''))
    expect(pages.filter((page) => !rules.some(([id]) => id === page))).toEqual([])
  })
})
