"""The benchmarks as a command: small runs of each end well and print the keys that readers of their JSON rely on. No rate is judged."""
import json
import subprocess
import sys
import unittest

PROGRAM = sys.argv.pop(1)

OF_A_SUITE = {"ratio", "verify_per_s_core", "verify_together_per_s_core", "verify_share", "settle_per_s_core", "settle_per_s",
              "overhead_ns_per_note", "memory_bytes_per_note", "disk_bytes_per_note", "bytes_hop1", "bytes_repeat", "fork_proof_bytes"}


def bench(*words):
    done = subprocess.run([PROGRAM, "bench", *map(str, words), "--json"], capture_output=True, timeout=240, text=True)
    if done.returncode != 0:
        raise AssertionError(f"bench {words} ended with {done.returncode}: {done.stderr}")
    return json.loads(done.stdout)


class Benchmarks(unittest.TestCase):
    def test_ledger(self):
        found = bench("ledger", "--transfers", 100_000, "--accounts", 5_000)
        self.assertLessEqual({"transfers_per_s", "pairs_per_s", "chains_per_s", "zipf_transfers_per_s", "singles", "worst_stall_ms", "bytes_per_transfer",
                              "longest_write_ms", "rss_bytes", "recovery_s", "recovery_snapshot_s", "queries"}, found.keys())
        self.assertLessEqual({"rate", "p50_us", "p99_us", "fdatasync_p99_us", "one_caller_p50_us", "one_caller_p99_us"}, found["singles"].keys())
        self.assertGreater(found["transfers_per_s"], 0)

    def test_purses_settle_and_their_messages_meet_the_size_goals(self):
        found = bench("purse", "--notes", 400, "--purses", 40)
        for suite in ("ed25519", "p256", "sm2"):
            self.assertEqual(found[suite].keys(), OF_A_SUITE)
            self.assertGreater(found[suite]["settle_per_s"], 0)
            self.assertLessEqual(found[suite]["bytes_hop1"], 1024)
            self.assertLessEqual(found[suite]["bytes_repeat"], 640)
            self.assertLessEqual(found[suite]["fork_proof_bytes"], 650)
        for key in ("settle_per_s", "bytes_hop1", "bytes_repeat", "fork_proof_bytes"):
            self.assertEqual(found[key], found["ed25519"][key])

    def test_campaign_breaks_nothing_and_accuses_nobody(self):
        found = bench("purse", "--campaign", 2_000)
        self.assertEqual(found["payments"], 2_000)
        self.assertEqual((found["broken"], found["accused"]), (0, 0))

    def test_town_finds_its_cheaters(self):
        found = bench("purse", "--population", 300, "--cheaters", 30)
        self.assertEqual(found["accused"], 0)

    def test_junk_says_whether_the_service_level_held(self):
        found = bench("purse", "--junk", 1_000)
        self.assertEqual(found["within_slo"], max(found["quiet_p95_us"], found["junk_p95_us"]) <= found["slo_us"])


if __name__ == "__main__":
    unittest.main()
