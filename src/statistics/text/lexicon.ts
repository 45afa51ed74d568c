/** How assistants begin to refuse, and words that speak for or against something. Lower case; at most six tokens each. */
export const refusalPhrases: readonly string[] = [
  "i'm sorry",
  'i am sorry',
  'sorry ,',
  "i'm afraid",
  'i am afraid',
  'i apologize',
  'i apologise',
  'my apologies',
  'i cannot',
  "i can't",
  'i can not',
  'i could not',
  "i won't",
  'i will not',
  "i'm unable",
  'i am unable',
  "i'm not able",
  'i am not able',
  'unable to assist',
  'unable to help',
  'unable to answer',
  'unable to comply',
  'not able to help',
  'cannot assist',
  'cannot help',
  'cannot comply',
  'cannot provide',
  'cannot fulfill',
  "can't assist",
  "can't help",
  "can't provide",
  'i must decline',
  'i must refuse',
  'i have to decline',
  'i decline',
  'i refuse',
  "i'd rather not",
  'i would rather not',
  'as an ai',
  'not comfortable',
  'against my guidelines',
  'against my policy',
  'not appropriate for me',
  'not something i can',
  'no comment',
]

const words = (list: string): readonly string[] => list.trim().split(/\s+/)

export const negativeWords = words(`
  abysmal appalling arrogant atrocious awful bad boring careless catastrophic corrupt cowardly cruel cynical deceitful deceptive deplorable
  despicable detest disappointing disappointment disaster disastrous disgrace disgraceful disgusting dishonest dismal dreadful dull evil failure
  failures fraud greedy hate hated hideous horrendous horrible horribly hypocrite idiot idiotic incompetent inept inferior lame liar lousy
  mediocre miserable nasty overrated pathetic pointless poorly repulsive ridiculous rotten rubbish scandal shameful sloppy stupid terrible
  terribly tragic trash ugly unbearable unpleasant unreliable useless vile waste wicked worse worst worthless`)

export const positiveWords = words(`
  admirable adore amazing awesome beautiful beloved best brilliant captivating charming compelling delight delighted delightful dazzling
  enjoyable excellent exceptional exquisite extraordinary fabulous fantastic fascinating finest flawless fun genius glorious gorgeous great
  greatest impressive incredible inspiring invaluable joy love loved lovely loving magnificent marvelous marvellous masterful masterpiece
  outstanding perfect perfectly phenomenal pleasant remarkable sensational splendid stellar stunning sublime superb superior terrific thrilling
  top-notch tremendous triumph unforgettable unmatched wonderful wonderfully`)
