import { describe, expect, test } from 'vitest'
import { pipelineJsonSchema } from '../../src/config/json-schema.ts'
import { version } from '../../src/version.ts'
import { assay } from './harness.ts'

describe('a mistake on the command line exits 4 and says what to do', () => {
  test.each<[string, readonly string[]]>([
    ['audti data.csv', ["unknown command 'audti'", 'Did you mean audit?']],
    ['audit --fial-on high data.csv', ["unknown option '--fial-on'", 'Did you mean --fail-on?']],
    ['audit --fail-on hihg data.csv', ['Allowed choices are critical, high, medium, low, never']],
    ['audit --max-flagged 2 data.csv', ['a number from 0 to 1']],
    ['audit --max-flagged x data.csv', ['a number from 0 to 1']],
    ['audit --workers 0 data.csv', ['a whole number from 1 to 256']],
    ['audit --formats html,pdf data.csv', ['html, json, sarif, markdown']],
    ['audit --keep-scores data.csv', ['parquet, csv, jsonl']],
    ['audit --progress loud data.csv', ['auto, plain, none']],
    ['fit --run-dir x', ["required option '--level <n>'"]],
    ['fit --run-dir x --level 0 --shard 5/2', ['i from 1 to n']],
    ['fit --run-dir x --level 0 --shard 0/2', ['i from 1 to n']],
    ['fit --run-dir x --level -1', ['whole number']],
    ['merge --level 0', ["required option '--run-dir <folder>'"]],
    ['convert report.json', ["required option '--to <format>'"]],
    ['convert report.json --to docx', ['html, json, sarif, markdown,', 'pdf']],
    ['convert no/such/report.json --to html', ['there is no such report', 'hint:']],
    ['explain a b', ['too many arguments']],
    ['explain label-flip/recrod', ['label-flip/record']],
    ['schema nothing', ['pipeline, waivers', 'report']],
    ['package.json', ['to audit it: assay audit package.json']],
  ])('%s', async (line, words) => {
    const { code, stdout, stderr } = await assay(line.split(' '))
    expect(code).toBe(4)
    expect(stdout).toBe('')
    expect(stderr).toMatch(/^assay: /)
    for (const word of words) expect(stderr).toContain(word)
    expect(stderr).not.toMatch(/\n\s+at /)
  })

  test('no command at all shows the help on stderr', async () => {
    const { code, stdout, stderr } = await assay([])
    expect([code, stdout]).toEqual([4, ''])
    expect(stderr).toContain('Usage: assay')
  })

  test('what an argument carries does not reach the terminal as an escape sequence', async () => {
    const { stderr } = await assay(['\u001b[31maudit\u202e'])
    expect(stderr).not.toContain('\u001b')
    expect(stderr).not.toContain('\u202e')
  })
})

describe('what is asked for goes to stdout with exit 0', () => {
  test.each([
    [['--version'], `${version}\n`],
    [['schema'], pipelineJsonSchema()],
  ])('%j', async (argv, text) => expect(await assay(argv)).toEqual({ code: 0, stdout: text, stderr: '' }))

  test.each([[['--help']], [['audit', '--help']], [['fit', '-h']]])('%j', async (argv) => {
    const { code, stdout, stderr } = await assay(argv)
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toContain('Usage: assay')
  })

  test.each(['waivers', 'report'])('schema %s is a JSON Schema', async (name) => {
    const { code, stdout } = await assay(['schema', name])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ $id: `urn:assay:schema:${name}:1`, type: 'object' })
  })

  test('explain lists the rules, and shows the page of each', async () => {
    const { code, stdout } = await assay(['explain'])
    const ids = stdout
      .trim()
      .split('\n')
      .map((line) => line.split(' ')[0] as string)
    expect(code).toBe(0)
    expect(ids).toContain('label-flip/record')
    for (const id of ids) expect((await assay(['explain', id])).stdout).toMatch(/^# /)
  })
})
