"""Asks a verifier (answer.cpp) the vectors that the server's verifier passes: our own strict rule, and Wycheproof.

    vectors.py STRICT VERIFIER...

STRICT is tests/vectors/strict/signatures.json. Wycheproof's are looked for in $JIAOZI_VECTORS, by default ../shared/vectors
beside the checkout; where they are missing that is said.
"""
import json
import os
import pathlib
import subprocess
import sys


def strict(path):
    for group in json.loads(path.read_text(encoding="utf-8"))["groups"]:
        for test in group["tests"] if group["suite"] == "ed25519" else []:
            yield (test["key"], test["message"], test["signature"]), test["valid"], f"strict {test['id']}: {test['comment']}"


def wycheproof(path):
    for group in json.loads(path.read_text(encoding="utf-8"))["testGroups"]:
        for test in group["tests"]:
            question = (group["publicKey"]["pk"], test["msg"], test["sig"])
            yield question, test["result"] == "valid", f"Wycheproof {test['tcId']}: {test['comment']}"


def main():
    rule = pathlib.Path(sys.argv[1])
    questions = list(strict(rule))
    own = len(questions)
    folder = pathlib.Path(os.environ.get("JIAOZI_VECTORS") or rule.resolve().parents[4] / "shared" / "vectors")
    others = folder / "wycheproof" / "ed25519_test.json"
    if others.is_file():
        questions += wycheproof(others)
    else:
        print("SKIPPED in part: no Wycheproof vectors; set JIAOZI_VECTORS to a folder with wycheproof/")
    asked = "".join(" ".join(part or "-" for part in question) + "\n" for question, _, _ in questions)
    answers = subprocess.run(sys.argv[2:], input=asked, capture_output=True, text=True, check=True).stdout.split()
    if not own or len(answers) != len(questions):
        sys.exit(f"{len(questions)} questions, {len(answers)} answers")
    wrong = [name for (_, valid, name), answer in zip(questions, answers) if valid != (answer == "1")]
    for name in wrong:
        print("wrong:", name)
    print(f"strict rule: {own} questions, Wycheproof Ed25519: {len(questions) - own}; {len(wrong)} wrong")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
