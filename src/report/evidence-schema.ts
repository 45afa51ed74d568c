import { z } from 'zod'
import { count, fraction, png, text } from './schema-parts.ts'

const cell = z.union([z.string(), z.number(), z.null()])

const picture = z.strictObject({
  caption: text,
  png,
  width: count,
  height: count,
  outline: z.tuple([count, count, count, count]).nullable(),
})

export const evidence = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('numbers'), title: text, items: z.array(z.strictObject({ name: text, value: cell })) }),
  z.strictObject({
    kind: z.literal('matrix'),
    title: text,
    rowTitle: text,
    columnTitle: text,
    rows: z.array(text),
    columns: z.array(text),
    counts: z.array(z.array(z.number())),
    marked: z.array(z.tuple([count, count])),
  }),
  z.strictObject({
    kind: z.literal('intervals'),
    title: text,
    level: fraction,
    expected: fraction.nullable(),
    items: z.array(
      z.strictObject({
        name: text,
        count: z.number().min(0),
        total: z.number().min(0),
        estimate: fraction,
        low: fraction,
        high: fraction,
        marked: z.boolean(),
      }),
    ),
  }),
  z.strictObject({
    kind: z.literal('histogram'),
    title: text,
    xTitle: text,
    edges: z.array(z.number()),
    series: z.array(z.strictObject({ name: text, counts: z.array(z.number().min(0)) })),
    threshold: z.number().nullable(),
  }),
  z.strictObject({ kind: z.literal('table'), title: text, columns: z.array(text), rows: z.array(z.array(cell)) }),
  z.strictObject({ kind: z.literal('pictures'), title: text, ofRecords: z.boolean(), items: z.array(picture) }),
  z.strictObject({
    kind: z.literal('scatter'),
    title: text,
    xTitle: text,
    yTitle: text,
    series: z.array(z.strictObject({ name: text, marked: z.boolean(), points: z.array(z.tuple([z.number(), z.number()])) })),
  }),
  z.strictObject({
    kind: z.literal('passages'),
    title: text,
    items: z.array(z.strictObject({ where: text, label: text.nullable(), text, marks: z.array(z.tuple([count, count])) })),
  }),
])
