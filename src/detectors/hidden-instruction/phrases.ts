import type { Kind } from './kinds.ts'

/**
 * Phrases by which texts address a model. Every repetition is bounded, so that a search takes time in proportion to the text.
 * English first; overrides also in German, French, Spanish, Italian, Portuguese and Chinese.
 */
const phrases: readonly (readonly [Kind, RegExp])[] = [
  [
    'instruction override',
    /\b(?:ignor(?:e|ing)|disregard(?:ing)?|forget|overrid(?:e|ing)|bypass(?:ing)?|neglect|(?:do not|don't|stop) follow(?:ing)?)\b[^.\n]{0,40}?\b(?:previous(?:ly)?|prior|above|earlier|preceding|foregoing|all|any|every|your|system|initial|original|these|those|the)\b[^.\n]{0,30}?\b(?:instructions?|prompts?|directions|directives?|rules|guidelines?|context|training|polic(?:y|ies)|commands?|programming|safeguards?|restrictions|constraints?)\b/i,
  ],
  [
    'instruction override',
    /(?:\b(?:ignor\p{L}{1,6}|olvid\p{L}{1,5}|oubli\p{L}{1,4}|vergiss|vergessen|missachte\p{L}{0,2}|dimentica\p{L}{0,4}|esque[çc]a)\b[^.\n]{0,50}?(?:instru[ckçz]\p{L}{1,8}|istruzion\p{L}|anweisung\p{L}{0,2}|consignes?|vorgaben|richtlinien)|(?:忽略|無視|无视)[^。\n]{0,20}?(?:指令|指示|提示))/iu,
  ],
  [
    'exfiltration',
    /\b(?:reveal|print|repeat|output|show|display|leak|disclose|tell me|give me|what (?:is|are))\b[^.\n]{0,30}?\b(?:(?:system|hidden|initial|secret) prompt|secret (?:key|password)|your (?:initial |original |system )?(?:instructions|prompt|system message)|api keys?|instructions above)\b/i,
  ],
  [
    'exfiltration',
    /\b(?:send|post|forward|upload|transmit|leak|exfiltrate|append)\b[^.\n]{0,60}?\b(?:data|passwords?|credentials?|api keys?|tokens?|conversation|chat history|secrets?|(?:patient|medical) records?|user'?s (?:name|data|e-?mail))\b[^\n]{0,40}?(?:https?:\/\/|\bwww\.|[\w.-]{1,40}@[\w-]{1,40}\.)/i,
  ],
  [
    'exfiltration',
    /!\[[^\]\n]{0,80}\]\(\s{0,5}https?:\/\/[^)\s]{1,300}?[?&/=](?:\{|\[|<|%7b|\$\{|(?:insert|secret|your|user|chat|conversation|history|prompt|data|base64)[_\s-]?(?:here|data|prompt|history|input|message|summary|conversation|secret))/i,
  ],
  [
    'persona',
    /\b(?:you are now (?:an? |the |in |acting|going|free|no longer|dan\b|un|called|playing)|from now on,? you|(?:act as|be|become|you are) (?:an? )?(?:unrestricted|uncensored|unfiltered|jailbroken|amoral)|pretend (?:to be|you(?: a|'?)re|that you) [^.\n]{0,60}?(?:\bai\b|model|assistant|restrict|filter|rules|unrestricted|without)|stay in character|(?:enable|enter|activate)[^.\n]{0,12} developer mode|developer mode (?:enabled|output)|do anything now|jailbr(?:eak|oken)\b[^.\n]{0,40}?(?:\bai\b|mode|prompt|model|gpt)|with(?:out| no) (?:any )?(?:ethical|moral|content) (?:guidelines|restrictions|filters|constraints|polic))/i,
  ],
  [
    'role marker',
    /<\|(?:im_start|im_end|im_sep|system|user|assistant|endoftext|endofprompt|start_header_id|end_header_id|eot_id|begin_of_text)\|>|\[\/?INST\]|<<\/?SYS>>|<(?:start|end)_of_turn>|<\/?system_prompt>|###\s{0,4}(?:instruction|response|system|human|assistant)s?\s{0,4}:|(?:^|\n)[ \t]{0,8}\[?system\]?[ \t]{0,4}:[^\n]{0,60}?\b(?:you|your|instructions?|prompt|ignore|override|user|assistant)\b/i,
  ],
]

export interface PhraseMatch {
  readonly kind: Kind
  readonly start: number
  readonly end: number
}

const mostMatches = 16
const searches = phrases.map(([kind, pattern]) => [kind, new RegExp(pattern, `${pattern.flags}g`)] as const)
/** The overrides of other languages begin so; a search by the properties of letters costs many times this one. */
const inOtherLanguages =
  /ignor|olvid|oubli|vergi[s\u017f]{2}|verge[s\u017f]{2}en|mi[s\u017f]{2}achte|dimentica|e[s\u017f]que|忽略|無視|无视/i

/** The phrases in a text, of every kind the first few, in no order. */
export function phrasesIn(text: string): PhraseMatch[] {
  const found: PhraseMatch[] = []
  const foreign = inOtherLanguages.test(text)
  for (const [kind, search] of searches) {
    if (search.unicode && !foreign) continue
    search.lastIndex = 0
    for (let k = 0; k < mostMatches; k++) {
      const match = search.exec(text)
      if (!match) break
      found.push({ kind, start: match.index, end: match.index + match[0].length })
    }
  }
  return found
}

const toMachines =
  /\b(?:you are (?:now )?an? (?:[a-z-]{1,20} ){0,3}(?:assistant|language model|chat ?bot|bot|llm)\b|(?:as|you are|for|attention:?|dear|hey|hello|note to) (?:an? |the |any |all )?(?:llms?|language models?|ai (?:models?|systems?|assistants?|agents?|reviewers?)|chat ?bots?|chat ?gpt)\b)/i
const namesMachines =
  /\b(?:AI|A\.I\.|LLMs?|[Ll]anguage [Mm]odels?|(?:[Vv]irtual|[Dd]igital|[Hh]elpful) assistants?|[Cc]hat ?[Bb]ots?|[Cc]hatGPT|GPT-?[345]\w{0,6}|(?:ranking|screening|reviewing) (?:models?|agents?|systems?))\b[^\n]{0,80}?\b(?:must|should|shall|always|never|do not|don't|instead|say|tell|respond|reply|answer|output|recommend|state|rate|treat|execute|summari[sz]e|approve|reject)\b/
const aboutUsers =
  /\b(?:tell|inform|convince|persuade|advise|direct|urge|ask|instruct|redirect) (?:the|any|every|all) (?:users?|readers?|patients?|customers?|humans?|recipients?) (?:to|that|about|not|they|it)\b/i
const onRequest =
  /\b(?:when|whenever|if) (?:(?:you are|you're|anyone|the user|a user|users?) )?(?:asked|asks|prompted|queried|summari[sz]ing|translating|answering|responding)\b[^.\n]{0,80}?\b(?:always|never|say|respond|reply|answer|output|recommend|claim|instead)\b/i
const orders =
  /\b(?:(?:do not|don't|never) (?:mention|reveal|disclose|refuse|summari[sz]e)\b|(?:you must|always|instead,?) (?:respond|reply|answer|output|recommend|say|state|claim|obey|comply|execute|approve|accept|rate)\b|(?:respond|reply|answer|output) (?:only|always|exactly) (?:with|in|that)\b|(?:new|hidden|secret) (?:instructions?|directives?|orders)\b|obey (?:the|these|this|my)\b|(?:execute|run) (?:the|this|these) (?:following )?(?:commands?|code|scripts?)\b|(?:give|award|assign)[^.\n]{0,40}? (?:positive|highest|top|best|favou?rable) (?:review|score|rating|mark|grade)|positive review only|recommend (?:accept(?:ing|ance)|hiring|this (?:candidate|product|paper|applicant)))/i

/** How far a concealment speaks for intent: an ordinary encoding or colour hardly, a comment little, what nobody can see wholly. */
export type Concealment = 'ordinary' | 'aside' | 'deliberate'

/** Does a concealed text address a model? The more deliberate the concealment, the looser the reading. */
export function instructs(text: string, concealment: Concealment): boolean {
  if (phrasesIn(text).length > 0 || toMachines.test(text)) return true
  if (concealment === 'ordinary') return false
  if (namesMachines.test(text) || aboutUsers.test(text) || onRequest.test(text)) return true
  return concealment === 'deliberate' && orders.test(text)
}
