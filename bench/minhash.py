"""MinHash of the texts of a JSONL file with datasketch: shingles of eight characters, 64 permutations, LSH of 8 bands of 8."""
import json
import sys
import time

from datasketch import MinHash, MinHashLSH

texts = [json.loads(line)["text"] for line in open(sys.argv[1], encoding="utf8") if line.strip()]
began = time.perf_counter()
lsh = MinHashLSH(num_perm=64, params=(8, 8))
near = 0
for i, text in enumerate(texts):
    plain = " ".join("".join(c.lower() if c.isalnum() else " " for c in text).split())
    sketch = MinHash(num_perm=64, seed=1)
    sketch.update_batch([plain[k : k + 8].encode() for k in range(max(1, len(plain) - 7))])
    near += bool(lsh.query(sketch))
    lsh.insert(str(i), sketch)
print(json.dumps({"texts": len(texts), "near": near, "seconds": time.perf_counter() - began}))
