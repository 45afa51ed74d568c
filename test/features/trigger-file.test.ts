import sharp from 'sharp'
import { afterAll, describe, expect, test } from 'vitest'
import type { TriggerSource } from '../../src/contracts/base-model.ts'
import { loadTriggers, triggersText } from '../../src/features/trigger-file.ts'
import { scratch } from './toy-models.ts'

const files = scratch()
afterAll(() => files.remove())
const source = (file: string, part: Partial<TriggerSource> = {}): TriggerSource => ({
  file,
  target: null,
  at: null,
  frame: null,
  opacity: 1,
  ...part,
})
const small = {
  height: 2,
  width: 3,
  channels: 1 as const,
  box: [0, 0, 1, 2] as const,
  target: 'ship',
  alpha: Float32Array.from([1, 0, 0, 0.25, 0, 0]),
  pattern: Float32Array.from([255, 0, 0, 17.5, 0, 0]),
}
const png = (rgba: readonly number[], width: number, height: number): Promise<Buffer> =>
  sharp(Uint8Array.from(rgba), { raw: { width, height, channels: 4 } })
    .png()
    .toBuffer()

describe('triggers.json', () => {
  test('reads back as it was written', async () => {
    const file = files.path('t.json', triggersText([small, { ...small, target: null }]))
    expect(await loadTriggers(source(file))).toEqual([small, { ...small, target: null }])
    expect(await loadTriggers(source(files.path('none.json', triggersText([]))))).toEqual([])
  })

  const row = JSON.parse(triggersText([small])).triggers[0]
  test.each<[string, object | string, RegExp]>([
    ['no JSON', '{"version":1,', /holds no trigger/],
    ['another version', { version: 2, triggers: [] }, /version/],
    ['a size that does not fit', { version: 1, triggers: [{ ...row, height: 3 }] }, /triggers\.0\.alpha: alpha has to hold/],
    ['an enormous size', { version: 1, triggers: [{ ...row, height: 1e9 }] }, /triggers\.0\.height/],
    ['an opacity above 1', { version: 1, triggers: [{ ...row, alpha: [2, 0, 0, 0, 0, 0] }] }, /triggers\.0\.alpha\.0/],
    ['a box outside', { version: 1, triggers: [{ ...row, box: [2, 0, 2, 2] }] }, /box has to lie inside/],
    ['a trigger that changes nothing', { version: 1, triggers: [{ ...row, alpha: [0, 0, 0, 0, 0, 0] }] }, /changes nothing/],
    ['an unknown key', { version: 1, triggers: [{ ...row, code: 'x' }] }, /triggers\.0/],
  ])('%s is refused, and the place named', async (name, content, message) => {
    const file = files.path(`${name.replaceAll(' ', '-')}.json`, typeof content === 'string' ? content : JSON.stringify(content))
    await expect(loadTriggers(source(file))).rejects.toMatchObject({
      code: 'model-options',
      exit: 4,
      message: expect.stringMatching(message),
    })
  })
})

describe('a picture', () => {
  test('stands in its frame with its transparency times the opacity, in its smallest box', async () => {
    const file = files.path('patch.png', await png([255, 0, 0, 255, 1, 2, 3, 0, 0, 255, 0, 255, 0, 0, 255, 127], 2, 2))
    const [t] = await loadTriggers(source(file, { target: 'x', at: [3, 1], frame: [6, 4], opacity: 0.5 }))
    expect(t).toMatchObject({ height: 4, width: 6, channels: 3, target: 'x', box: [3, 1, 2, 2] })
    expect([9, 10, 15, 16].map((i) => Number(t?.alpha[i]?.toFixed(3)))).toEqual([0.5, 0, 0.5, 0.249])
    expect([...(t?.pattern.subarray(27, 30) ?? [])]).toEqual([255, 0, 0])
  })

  test.each<[string, () => Promise<Buffer>, Partial<TriggerSource>, RegExp]>([
    ['beyond its frame', () => png(new Array(16).fill(255), 2, 2), { at: [5, 0], frame: [6, 6] }, /do not fit/],
    ['transparent', () => png(new Array(16).fill(0), 2, 2), {}, /transparent everywhere/],
    ['no picture', async () => Buffer.from('hello, world'), {}, /holds no trigger/],
    ['too large', () => png(new Array(4 * 1200).fill(9), 1200, 1), {}, /1200 x 1/],
    ['in a frame that is too large', () => png(new Array(16).fill(255), 2, 2), { frame: [5000, 5000] }, /frame is 5000/],
  ])('%s is refused', async (name, bytes, part, message) => {
    const file = files.path(`${name.replaceAll(' ', '-')}.png`, await bytes())
    await expect(loadTriggers(source(file, part))).rejects.toMatchObject({
      code: 'model-options',
      exit: 4,
      message: expect.stringMatching(message),
    })
  })

  test('a file that is not there is told by its path', async () => {
    await expect(loadTriggers(source(files.path('lost.png')))).rejects.toMatchObject({ code: 'model-missing', exit: 4 })
  })
})
