/** A unit as it is written: what it measures, and how much of that in the base unit, under which values are compared. */
export interface Unit {
  readonly measures: string
  readonly factor: number
}
export type Units = Readonly<Record<string, Unit>>

const unit = (measures: string, factor: number): Unit => ({ measures, factor })

/** Data, not code: an owner adds to it by option. Names in lower case; a rate (`mg/kg`) is put together from its parts. */
export const defaultUnits: Units = {
  mg: unit('mg', 1),
  milligram: unit('mg', 1),
  milligrams: unit('mg', 1),
  mcg: unit('mg', 0.001),
  µg: unit('mg', 0.001),
  μg: unit('mg', 0.001),
  microgram: unit('mg', 0.001),
  micrograms: unit('mg', 0.001),
  g: unit('mg', 1000),
  gram: unit('mg', 1000),
  grams: unit('mg', 1000),
  ml: unit('ml', 1),
  milliliters: unit('ml', 1),
  millilitres: unit('ml', 1),
  liters: unit('ml', 1000),
  litres: unit('ml', 1000),
  iu: unit('units', 1),
  units: unit('units', 1),
  mmhg: unit('mmHg', 1),
  'mm hg': unit('mmHg', 1),
  '%': unit('percent', 1),
  percent: unit('percent', 1),
  mmol: unit('mmol', 1),
  kcal: unit('kcal', 1),
  calories: unit('kcal', 1),
}

/** Rates that an amount may be followed by, with their common name; `per day` and the like do not change what is compared. */
const rates: readonly (readonly [RegExp, string])[] = [
  [/^\s{0,2}(?:\/|per )\s{0,2}(?:kg|kilogram)/i, '/kg'],
  [/^\s{0,2}(?:\/|per )\s{0,2}(?:dl|deciliter|decilitre)/i, '/dL'],
  [/^\s{0,2}(?:\/|per )\s{0,2}(?:ml|milliliter|millilitre)/i, '/mL'],
  [/^\s{0,2}(?:\/|per )\s{0,2}(?:l|liter|litre)\b/i, '/L'],
]

export const rateAfter = (text: string): string => rates.find(([pattern]) => pattern.test(text))?.[1] ?? ''
