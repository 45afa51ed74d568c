import fc from 'fast-check'
import { SaxesParser } from 'saxes'
import { describe, expect, test } from 'vitest'
import { buildReport } from '../../src/report/build.ts'
import { renderJunit } from '../../src/report/render/junit.ts'
import { loadCases } from '../golden/load.ts'

interface Node {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
  readonly children: Node[]
  text: string
}

/** Well-formed XML 1.0, or an error. */
function parse(xml: string): Node {
  const root: Node = { name: '', attributes: {}, children: [], text: '' }
  const open = [root]
  const parser = new SaxesParser()
  parser.on('error', (error) => {
    throw error
  })
  parser.on('opentag', ({ name, attributes }) => {
    const node: Node = { name, attributes: attributes as Record<string, string>, children: [], text: '' }
    open.at(-1)?.children.push(node)
    open.push(node)
  })
  parser.on('closetag', () => void open.pop())
  parser.on('text', (text) => {
    const node = open.at(-1) as Node
    node.text += text
  })
  parser.write(xml).close()
  return root.children[0] as Node
}

const isToken = (text: string | undefined): boolean => text !== undefined && !/[\t\n\r]|^ | $| {2}/.test(text)
const isCount = (text: string | undefined): boolean => /^\d{1,9}$/.test(text ?? '')
const isDecimal = (text: string | undefined): boolean => /^\d+(\.\d+)?$/.test(text ?? '')
const names = (node: Node): string[] => Object.keys(node.attributes).sort()

/** The rules of the JUnit schema for Ant and Jenkins (JUnit.xsd by Windy Road), one by one. */
function problemsOf(root: Node): string[] {
  const out: string[] = []
  const must = (holds: boolean, what: string): void => {
    if (!holds) out.push(what)
  }
  must(root.name === 'testsuites' && names(root).length === 0, 'the root is testsuites')
  for (const [i, suite] of root.children.entries()) {
    const a = suite.attributes
    must(suite.name === 'testsuite', 'a suite is a testsuite')
    must(
      names(suite).join() === 'errors,failures,hostname,id,name,package,skipped,tests,time,timestamp',
      `attributes of a suite: ${names(suite).join()}`,
    )
    must(
      [a.name, a.package, a.hostname].every((v) => isToken(v) && v !== ''),
      'names of a suite are tokens',
    )
    must(a.id === String(i) && [a.tests, a.failures, a.errors, a.skipped].every(isCount) && isDecimal(a.time), 'numbers of a suite')
    must(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}$/.test(a.timestamp ?? ''), 'the time of a suite')
    const order = suite.children.map((c) => c.name)
    const cases = suite.children.filter((c) => c.name === 'testcase')
    must(order.join() === ['properties', ...cases.map(() => 'testcase'), 'system-out', 'system-err'].join(), `order: ${order.join()}`)
    for (const p of suite.children[0]?.children ?? [])
      must(
        p.name === 'property' && names(p).join() === 'name,value' && isToken(p.attributes.name) && p.attributes.name !== '',
        'a property',
      )
    for (const c of cases) {
      must(names(c).join() === 'classname,name,time', `attributes of a case: ${names(c).join()}`)
      must(isToken(c.attributes.name) && isToken(c.attributes.classname) && isDecimal(c.attributes.time), 'a case')
      must(c.children.length <= 1, 'a case has one outcome')
      for (const o of c.children) {
        must(['skipped', 'error', 'failure'].includes(o.name), `outcome ${o.name}`)
        if (o.name !== 'skipped') must(o.attributes.type !== undefined && o.children.length === 0, `type of ${o.name}`)
      }
    }
    const count = (name: string) => cases.filter((c) => c.children[0]?.name === name).length
    must(
      [a.tests, a.failures, a.errors, a.skipped].join() === [cases.length, count('failure'), count('error'), count('skipped')].join(),
      'counts',
    )
  }
  return out
}

const cases = await loadCases()
const suiteOf = (name: string): Node => {
  const found = cases.find((c) => c.name === name)
  if (!found) throw new Error(`no case ${name}`)
  return parse(renderJunit(buildReport(found.outcome, found.policy))).children[0] as Node
}
const outcomes = (suite: Node): Record<string, string> =>
  Object.fromEntries(
    suite.children.filter((c) => c.name === 'testcase').map((c) => [c.attributes.name as string, c.children[0]?.name ?? 'passed']),
  )

describe('JUnit', () => {
  test.each(cases)('$name is well-formed and as the schema asks', ({ outcome, policy }) => {
    expect(problemsOf(parse(renderJunit(buildReport(outcome, policy))))).toEqual([])
  })

  test('the check refuses what the schema refuses', () => {
    const xml = renderJunit(buildReport((cases[0] as (typeof cases)[number]).outcome, (cases[0] as (typeof cases)[number]).policy))
    for (const [from, to] of [
      [' hostname="localhost"', ''],
      ['<system-err></system-err>', ''],
      [/timestamp="[^"]+"/, 'timestamp="yesterday"'],
      [/tests="\d+"/, 'tests="99"'],
      ['classname="', 'klass="'],
    ] as const)
      expect(problemsOf(parse(xml.replace(from, to)))).not.toEqual([])
    expect(() => parse(xml.replace('<properties>', '<properties>\u0001'))).toThrow()
  })

  test('a case a detector: findings that fail the gate are failures, what could not be audited is an error', () => {
    expect(outcomes(suiteOf('poisoned-tabular'))).toMatchObject({ input: 'passed', 'label-flip': 'failure', 'trigger-image': 'skipped' })
    expect(outcomes(suiteOf('clean-tabular'))).toMatchObject({ input: 'passed', 'label-flip': 'passed' })
    const incomplete = suiteOf('incomplete')
    expect(outcomes(incomplete)).toMatchObject({ input: 'error' })
    expect(Object.values(outcomes(incomplete)).filter((o) => o === 'error').length).toBeGreaterThan(1)
  })

  test('known findings fail nothing', () => {
    const suite = suiteOf('known-findings')
    const text = suite.children.find((c) => c.attributes.name === 'label-flip')?.children[0]?.text ?? ''
    expect(text).toContain('label-flip/class-pair')
    expect(text).not.toContain('label-flip/source (')
  })

  test('any text makes well-formed XML', () => {
    const { outcome, policy } = cases.find((c) => c.name === 'hostile') as (typeof cases)[number]
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), fc.string({ unit: 'binary', maxLength: 60 }), (name, reason) => {
        const [detector] = outcome.detectors
        const one = { ...outcome, subject: { name, version: reason }, detectors: [{ ...(detector as typeof detector & object), reason }] }
        expect(problemsOf(parse(renderJunit(buildReport(one as typeof outcome, policy))))).toEqual([])
      }),
      { numRuns: 100 },
    )
  })
})
