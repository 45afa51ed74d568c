import type { TruthRow } from './changes.ts'

const cell = (value: string | number | null): string => {
  const text = value === null ? '' : String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** `source_row` is the record that the mark was taken from, as `shard:row`, where it was taken from one. */
export function truthText(attack: string, rows: readonly TruthRow[]): string {
  const lines = rows.map(({ id, shard, row, changed, givenLabel, originalLabel, from }) =>
    [id, shard, row, attack, changed, givenLabel, originalLabel, from && `${from.shard}:${from.row}`].map(cell).join(','),
  )
  return `${['id,shard,row,attack,changed,given_label,original_label,source_row', ...lines].join('\n')}\n`
}
