/** The beginnings of words that some phrase of `phrases.ts` needs; a blank stands for any white space. */
const rootWords = [
  ...[
    'ignore',
    'ignori',
    'ignora',
    'disregard',
    'forget',
    'overrid',
    'bypass',
    'neglect',
    'follow',
    'olvid',
    'oubli',
    'vergiss',
    'vergessen',
  ],
  ...[
    'missacht',
    'dimentica',
    'esque',
    'system prompt',
    'hidden prompt',
    'initial prompt',
    'secret prompt',
    'secret key',
    'secret password',
  ],
  ...[
    'your instructions',
    'your initial',
    'your original',
    'your system',
    'your prompt',
    'api key',
    'instructions above',
    'send',
    'forward the',
  ],
  ...['forward all', 'upload', 'transmit', 'leak', 'exfiltrat', 'you are now', 'from now on', 'unrestricted', 'uncensored', 'unfiltered'],
  ...['jailbr', 'amoral', 'pretend ', 'stay in character', 'developer mode', 'do anything now', 'without any ethical', 'without ethical'],
  ...[
    'ethical guide',
    'ethical restr',
    'moral guide',
    'content filter',
    'content polic',
    'im_start',
    'im_end',
    'im_sep',
    'system|',
    'user|',
  ],
  ...['assistant|', 'endoftext', 'endofprompt', 'start_header', 'end_header', 'eot_id', 'begin_of_text', 'inst]', 'sys>', 'start_of_turn'],
  ...['end_of_turn', 'system_prompt', 'system:', 'system]', 'instruction:', 'instructions:', 'response:', 'human:', 'assistant:'],
]
const cipherWords = [
  ...['vtaber', 'qvfertneq', 'vafgehpgvba', 'cerivbhf', 'snoitcurtsni', 'noitcurtsni', 'tpmorp', 'suoiverp', 'erongi', 'dragersid'],
  ...['nyjnlf', 'zragvba', 'erpbzzraq', 'nffvfgnag', 'cnffjbeq', 'syawla', 'noitnem', 'dnemmocer', 'tnatsissa', 'drowssap', 'deksa'],
  ...[
    'wh3n',
    'u53r',
    'th3 ',
    't3ll',
    'alw4y',
    '4lway',
    '4lw4y',
    'us3r',
    'm3nt',
    'r3com',
    'r3c0m',
    'a5515',
    'a551s',
    '45515',
    'y0u ',
    '4n5w',
    'an5w',
    '1gnor',
    'ign0r',
    '1gn0r',
    'd1sreg',
    'disr3g',
    'd1sr3g',
    'f0rg',
    'pr3v',
    'prev10',
    'previ0',
    '1nstr',
    'instruct10',
    'instruct1',
    'pr0mpt',
    'syst3m',
    '5yst',
  ],
]

export interface Root {
  readonly word: string
  readonly cipher: boolean
}

export const hashOf = (a: number, b: number, c: number, d: number): number =>
  Math.imul((a | (b << 8) | (c << 16) | (d << 24)) >>> 0, 0x9e3779b1) >>> 16

/** 1 + index into `buckets` by the hash of a word's first four letters; 0 where no root begins so. */
export const bucketAt = new Uint8Array(65_536)
export const buckets: Root[][] = []
for (const [words, cipher] of [
  [rootWords, false],
  [cipherWords, true],
] as const) {
  for (const word of words) {
    const [a, b, c, d] = [...word.slice(0, 4)].map((x) => x.charCodeAt(0) | 0x20) as [number, number, number, number]
    const h = hashOf(a, b, c, d)
    if (!bucketAt[h]) bucketAt[h] = buckets.push([])
    buckets[(bucketAt[h] as number) - 1]?.push({ word, cipher })
  }
}

const isBlank = (b: number): boolean => b === 0x20 || (b >= 9 && b <= 13)

export function begins(values: Uint8Array, from: number, to: number, word: string): boolean {
  let at = from
  for (let k = 0; k < word.length; k++) {
    const c = word.charCodeAt(k)
    if (c === 0x20) {
      if (at >= to || !isBlank(values[at] as number)) return false
      while (at < to && isBlank(values[at] as number)) at++
      continue
    }
    if (at >= to) return false
    const b = values[at++] as number
    if ((b >= 65 && b <= 90 ? b | 0x20 : b) !== c) return false
  }
  return true
}
