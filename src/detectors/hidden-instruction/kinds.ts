/** What can be found, the surest first; where a record shows several, the first names it. `certain`: no honest use is known. */
export const kinds = [
  { name: 'tag characters', certain: true, does: 'hide text in tag characters, which no reader sees and a model reads' },
  { name: 'variation selectors', certain: true, does: 'hide bytes in runs of variation selectors, which no reader sees' },
  { name: 'zero-width code', certain: true, does: 'hide bits in runs of zero-width characters, which no reader sees' },
  {
    name: 'bidirectional override',
    certain: true,
    does: 'show a reader another order of characters than a model reads, by bidirectional controls',
  },
  {
    name: 'disguised letters',
    certain: true,
    does: 'spell an instruction with look-alike, styled or interrupted letters that a search for it would miss',
  },
  { name: 'hidden markup', certain: true, does: 'carry an instruction in HTML, Markdown or LaTeX that is not displayed' },
  {
    name: 'encoded instruction',
    certain: true,
    does: 'carry an instruction that is encoded (base64, hexadecimal, escapes, rot13 or reversed)',
  },
  { name: 'instruction override', certain: false, does: 'tell a model to ignore its instructions' },
  { name: 'exfiltration', certain: false, does: 'ask a model for its prompt or secrets, or to send data to an address' },
  { name: 'persona', certain: false, does: 'tell a model to take a role without restrictions' },
  { name: 'mixed scripts', certain: false, does: 'mix look-alike letters of another script into Latin words' },
  {
    name: 'stray invisible characters',
    certain: false,
    does: 'hold invisible characters or bidirectional controls where no script needs them',
  },
  { name: 'role marker', certain: false, does: 'hold markers of a chat template (system, assistant) inside the text' },
] as const

export type Kind = (typeof kinds)[number]['name']

const numbers = new Map<string, number>(kinds.map((k, i) => [k.name, i]))
export const kindNumber = (kind: Kind): number => numbers.get(kind) as number

/** One place in a text. `shown` is the part that matters, as it stands; `decoded` what it says, where that differs. */
export interface Hit {
  readonly kind: Kind
  readonly before: string
  readonly shown: string
  readonly after: string
  readonly decoded: string | null
}

const around = 120
const shownMost = 400

/** A hit at `start..end` of a text, with what stands around it. */
export const hitAt = (kind: Kind, text: string, start: number, end: number, decoded: string | null = null): Hit => ({
  kind,
  before: text.slice(Math.max(0, start - around), start),
  shown: text.slice(start, Math.min(end, start + shownMost)),
  after: text.slice(end, end + around),
  decoded: decoded === null ? null : decoded.slice(0, shownMost),
})
