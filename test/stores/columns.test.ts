import { DataType } from 'apache-arrow'
import { expect, test } from 'vitest'
import { storedColumn } from '../../src/stores/columns.ts'

const of = (dataTypeID: number, dataTypeModifier = -1, names = new Map<number, string>()) =>
  storedColumn({ name: 'c', dataTypeID, dataTypeModifier }, names)

test("pgvector's types are vectors whatever their number is", () => {
  for (const type of ['vector', 'halfvec']) {
    const column = of(16_999, -1, new Map([[16_999, type]]))
    expect(DataType.isList(column.field.type)).toBe(true)
    const data = column.make(['[1,-0.5,2e-3]', null, '[]'])
    expect([...(data.valueOffsets as Int32Array)]).toEqual([0, 3, 3, 3])
    expect(data.children[0]?.values).toEqual(Float32Array.of(1, -0.5, 2e-3))
    expect(data.nullCount).toBe(1)
  }
  expect(DataType.isUtf8(of(16_999, -1, new Map([[16_999, 'citext']])).field.type)).toBe(true)
})

test('a numeric is a number where a double holds all of its digits', () => {
  const modifier = (precision: number, scale: number) => ((precision << 16) | scale) + 4
  expect(DataType.isFloat(of(1700, modifier(15, 2)).field.type)).toBe(true)
  expect(DataType.isUtf8(of(1700, modifier(16, 2)).field.type)).toBe(true)
  expect(DataType.isUtf8(of(1700).field.type)).toBe(true)
})

test('null is told from a value in every type', () => {
  for (const oid of [16, 20, 23, 701, 25, 17, 114, 1009, 1022, 1184]) {
    const data = of(oid).make([null, null])
    expect([data.length, data.nullCount, data.getValid(0)]).toEqual([2, 2, false])
  }
})
