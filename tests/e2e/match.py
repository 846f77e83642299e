# SPDX-License-Identifier: Apache-2.0
"""`falun match` on small planted files: doubles are found and written, hostile files give a clear line each, and no value of a
row is printed anywhere but the ids in the files asked for."""
import csv
import gzip
import json
import os
import pathlib
import random
import shutil
import subprocess
import tempfile

from server import FALUN, Case, main

HEADER = "no,first,last,born,phone,street,who"
FIELDS = "name=first,surname=last,date=born,id=phone,address=street"


def word(rng, n):
    return "".join(rng.choice("abcdefghijklmnoprstuvy") for _ in range(n))


def customers(rng, n):
    """Every customer twice, the second time with one slip."""
    rows = [HEADER]
    for c in range(n):
        row = [word(rng, 6), word(rng, 9), f"19{rng.randrange(30, 99)}-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}",
               f"9{rng.randrange(10 ** 7):07}", word(rng, 10) + " 1"]
        rows.append(f"r-{c}-org," + ",".join(row) + f",c{c}")
        slip = rng.randrange(5)
        row[slip] = "" if rng.random() < .5 else row[slip][:-1] + "x"
        rows.append(f"r-{c}-dup," + ",".join(row) + f",c{c}")
    return "\n".join(rows) + "\n"


class Match(Case):
    @classmethod
    def setUpClass(cls):
        cls.room = pathlib.Path(tempfile.mkdtemp(prefix="falun-match-"))
        cls.addClassCleanup(shutil.rmtree, cls.room)

    def put(self, name, content):
        content = content.encode() if isinstance(content, str) else content
        (self.room / name).write_bytes(content)
        return str(self.room / name)

    def match(self, *words, code=0):
        """Gives (the last line's object, all text)."""
        ran = subprocess.run([FALUN, "match", *map(str, words)], capture_output=True, text=True, timeout=120)
        self.assertEqual(ran.returncode, code, ran.stdout[-2000:] + ran.stderr)
        return json.loads(ran.stdout.strip().splitlines()[-1]) if code in (0, 3) else None, ran.stdout + ran.stderr

    def refused(self, *words):
        _, said = self.match(*words, code=1)
        line = said.strip().splitlines()[-1]
        self.assertTrue(line.startswith("falun match: ") and len(line) > 30, said)
        return line

    def test_doubles_are_found_and_written(self):
        path = self.put("a.csv.gz", gzip.compress(customers(random.Random(1), 800).encode()))
        links, doubtful = self.room / "links.csv", self.room / "doubtful.csv"
        result, said = self.match("--records", path, "--id", "no", "--truth", "who", "--fields", FIELDS, "--out", links,
                                  "--doubtful", doubtful)
        self.assertGreater(result["afterClosure"]["precision"], .999)
        self.assertGreater(result["afterClosure"]["recall"], .97)
        rows = list(csv.DictReader(links.read_text().splitlines()))
        self.assertEqual(len(rows), result["links"])
        self.assertTrue(all(row["a"].split("-")[1] == row["b"].split("-")[1] for row in rows), rows[:3])
        self.assertEqual(doubtful.read_text().splitlines()[0], "a,b,probability,reason")
        self.assertEqual(os.stat(links).st_mode & 0o777, 0o600)
        other, _ = self.match("--records", path, "--id", "no", "--truth", "no", "--truth-digits", "--fields", FIELDS)
        self.assertEqual(other["afterClosure"], result["afterClosure"])

    def test_kinds_are_guessed(self):
        path = self.put("b.csv", customers(random.Random(2), 1200))
        _, said = self.match("--records", path, "--id", "no", "--truth", "who", "--fields", "name=first,surname=last,born,phone,street")
        self.assertRegex(said, r"born +date")
        self.assertRegex(said, r"phone +id")
        self.assertRegex(said, r"street +text")

    def test_no_value_is_said(self):
        text = HEADER + "\n1,Secretname,Hiddenlast,1980-01-02,91234567,Quietlane 3,a\n2,Secretname,Hiddenlast,1980-01-02,91234567\n,x,y,,,,\n"
        _, said = self.match("--records", self.put("c.csv", text), "--id", "no", "--truth", "who", "--fields", FIELDS, code=3)
        for value in ("Secretname", "Hiddenlast", "91234567", "Quietlane", "secretname", "1980"):
            self.assertNotIn(value, said)
        self.assertIn("2 rows are left out", said)

    def test_small_files(self):
        for n, text in (("none", HEADER + "\n"), ("one", HEADER + "\n1,anna,berg,,,,a\n"),
                        ("bare", HEADER + "\n" + "".join(f"{i},,,,,,\n" for i in range(50)))):
            result, _ = self.match("--records", self.put(n, text), "--id", "no", "--truth", "who", "--fields", FIELDS)
            self.assertEqual((result["links"], result["persons"]), (0, 0), n)

    def test_hostile_files_get_a_clear_line(self):
        good = self.put("good.csv", customers(random.Random(3), 10))
        self.assertIn("first line", self.refused("--records", good, "--id", "nr", "--fields", FIELDS))
        self.assertIn("first line", self.refused("--records", good, "--id", "no", "--truth", "nobody"))
        self.assertIn("first line", self.refused("--records", good, "--id", "no", "--fields", "name=forename"))
        self.assertIn("kinds are", self.refused("--records", good, "--id", "no", "--fields", "shoe=first"))
        self.refused("--records", self.room / "absent.csv", "--id", "no")
        self.refused("--records", self.put("empty", ""), "--id", "no")
        self.refused("--records", self.put("id alone", "no\n1\n"), "--id", "no")
        self.refused("--records", self.put("wide", "no," + ",".join(f"c{i}" for i in range(40)) + "\n"), "--id", "no")
        self.assertIn("quote", self.refused("--records", self.put("open", HEADER + '\n1,"' + "anna," * 300000), "--id", "no"))
        self.refused("--records", self.put("cut.csv.gz", gzip.compress(customers(random.Random(4), 500).encode())[:-40]), "--id", "no")
        noise = random.Random(5)
        self.match("--records", self.put("noise", HEADER.encode() + b"\n" + b"".join(
            bytes(noise.choice(b"\x00\xff\xc3,\"\n\xe2ab") for _ in range(40)) + b"\n" for _ in range(300))), "--id", "no", code=3)
        self.match("--records", good, code=2)
        self.match("--records", good, "--id", "no", "--component-most", "1", code=2)


if __name__ == "__main__":
    main()
