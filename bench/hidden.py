"""A plain scan of the texts of a JSONL file for concealed instructions, line by line with the regular expressions of one page."""
import json
import re
import sys

invisible = re.compile("[\u200b-\u200f\u2060-\u2064\ufeff\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]")
mixed = re.compile("[A-Za-z][\u0400-\u04ff]|[\u0400-\u04ff][A-Za-z]")
markup = re.compile(r"<!--|display\s*:\s*none|font-size\s*:\s*0|visibility\s*:\s*hidden|color\s*:\s*white", re.I)
override = re.compile(r"\b(?:ignore|disregard|forget|override)\b[^.\n]{0,40}?\b(?:previous|prior|above|all)\b[^.\n]{0,30}?\binstructions?\b", re.I)
roles = re.compile(r"<\|im_start\|>|\[INST\]|<<SYS>>|###\s*(?:system|instruction)\s*:", re.I)
encoded = re.compile(r"[A-Za-z0-9+/]{40,}={0,2}")

texts = found = 0
for line in open(sys.argv[1], encoding="utf8"):
    text = json.loads(line)["text"]
    texts += 1
    found += any(pattern.search(text) for pattern in (invisible, mixed, markup, override, roles, encoded))
print(json.dumps({"texts": texts, "found": found}))
