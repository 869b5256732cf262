#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include <jiaozi/ledger/invariants.hpp>
#include <jiaozi/proof/audit.hpp>
#include <jiaozi/proof/history.hpp>
#include <jiaozi/proof/record.hpp>
#include <jiaozi/proof/tiles.hpp>
#include <jiaozi/storage/whole_file.hpp>

#include "integers.hpp"

namespace jiaozi::proof {
namespace {

// Makes the tree again, entry by entry, and holds the stored tiles against it.
class TileCheck {
  public:
    TileCheck(storage::Disk& disk, std::filesystem::path directory, AuditReport& report)
        : disk_(disk), directory_(std::move(directory)), report_(report) {
        // Behind `position` a crash may have left files torn; they are written again at the next start.
        const auto groups = read_position(disk_, directory_);
        if (groups.ok()) {
            durable_leaves_ = *groups * group_leaves;
            return;
        }
        report_.findings.push_back({AuditCheck::tree, false, (directory_ / "position").string(), std::nullopt, false,
                                    groups.error().message(), std::nullopt});
    }

    void add(const crypto::Digest& entry) {
        tree_.append(crypto::merkle::hash_leaf(entry));
        bundle_.push_back(0);
        bundle_.push_back(entry_bytes);
        append(bundle_, entry);
        push(0, crypto::merkle::hash_leaf(entry));
    }
    const crypto::merkle::Frontier& tree() const noexcept { return tree_; }

  private:
    void push(unsigned level, const crypto::Digest& hash) {
        edge_[level].push_back(hash);
        if (edge_[level].size() < tile_width) return;
        const std::uint64_t index = (tree_.size() >> (tile_height * (level + 1))) - 1;
        if (level == 0) {
            compare({.entries = true, .index = index}, bundle_);
            bundle_.clear();
        } else {
            Bytes tile;
            for (const crypto::Digest& one : edge_[level]) append(tile, one);
            compare({.level = level, .index = index}, tile);
        }
        const crypto::Digest root = crypto::merkle::root_of(edge_[level]);
        edge_[level].clear();
        if (level + 1 < tile_levels) push(level + 1, root);
    }

    void compare(const TileName& name, const Bytes& expected) {
        const auto path = directory_ / name.path();
        const bool durable = tree_.size() <= durable_leaves_;
        const auto stored = storage::read_whole(disk_, path, expected.size() + 1);
        if (stored.ok()) ++report_.tiles;
        if (stored.ok() && *stored == expected) return;
        Finding finding{AuditCheck::tree, !durable, path.string(), std::nullopt, false, "", std::nullopt};
        if (!stored.ok()) {
            if (!durable) return;  // not written yet
            finding.message = "the tile is missing";
        } else {
            const auto differs = std::ranges::mismatch(*stored, expected);
            finding.offset = static_cast<std::uint64_t>(differs.in1 - stored->begin());
            finding.exact = true;
            finding.message = "the tile is not what the journal gives";
        }
        finding.message += durable ? "; remove the log's `tile` folder, and it is made again from the journal"
                                   : "; it is newer than what was synced, and is made again at the next start";
        report_.findings.push_back(std::move(finding));
    }

    storage::Disk& disk_;
    const std::filesystem::path directory_;
    AuditReport& report_;
    std::uint64_t durable_leaves_ = 0;
    crypto::merkle::Frontier tree_;
    Bytes bundle_;
    std::array<std::vector<crypto::Digest>, tile_levels> edge_;
};

struct KnownRoot {
    std::uint64_t size = 0;
    crypto::Digest root{};
    std::string file;
    std::optional<std::uint64_t> offset;
    bool anchored = false;  // `file` is the name of a place
};

class Audit {
  public:
    explicit Audit(const AuditOptions& options)
        : options_(options), disk_(options.disk != nullptr ? *options.disk : storage::system_disk()) {}

    Result<AuditReport> run() {
        // The newest first: a server that runs meanwhile adds to the list before it shows a checkpoint.
        const auto newest = storage::read_whole(disk_, options_.log / "checkpoint", max_note_bytes + 1);
        const bool has_log = read_history();
        if (has_log) check_what_is_shown(newest);
        read_witnesses();
        for (const AnchorPlace& place : options_.anchors) read_anchors(place);
        std::ranges::sort(known_, {},
                          [](const KnownRoot& known) { return std::tie(known.size, known.file, known.offset); });
        std::optional<Salter> salter;
        if (options_.salt_key.size() == 32) salter.emplace(options_.salt_key);
        if (has_log && !salter) {
            find(AuditCheck::tree, false, options_.log.string(),
                 "the tree was not checked: the log's salt key is in the keystore, which could not be opened");
        }
        if (!salter && !options_.anchors.empty()) {
            find(AuditCheck::anchors, false, "",
                 "the anchors were not compared: the tree can't be made without the log's salt key");
        }
        TileCheck tiles(disk_, options_.log / "tile", report_);
        ledger::Ledger ledger;
        JZ_TRY(report_.journal,
               replay_journal(disk_, options_.journal, ledger, [&](const engine::Committed& committed) -> Result<bool> {
                   if (!salter) return true;
                   tiles.add(Record(committed, *salter).entry());
                   hold_against_known(tiles.tree());
                   return true;
               }));
        report_.root = tiles.tree().root();
        report_journal();
        if (salter) report_unreached();
        check_balances(ledger);
        return std::move(report_);
    }

  private:
    void find(AuditCheck check, bool harmless, std::string file, std::string message,
              std::optional<std::uint64_t> offset = std::nullopt, bool exact = false) {
        report_.findings.push_back({check, harmless, std::move(file), offset, exact, std::move(message), std::nullopt});
    }
    void find_difference(const KnownRoot& anchor, const std::optional<crypto::Digest>& journal, std::string message) {
        find(AuditCheck::anchors, false, anchor.file, std::move(message));
        report_.findings.back().difference = AnchorDifference{{anchor.size, anchor.root}, journal};
    }

    // False when there is no log.
    bool read_history() {
        const auto path = options_.log / "checkpoints";
        HistoryReader reader;
        const auto read = reader.read(disk_, path, [&](const SignedRoot& row, std::uint64_t offset) -> Result<> {
            known_.push_back({row.size, row.root, path.string(), offset, false});
            report_.signed_commands = std::max(report_.signed_commands, row.size);
            if (verify_note(note_of(row, reader.key), reader.key).ok()) {
                ++report_.checkpoints;
            } else {
                find(AuditCheck::checkpoints, false, path.string(), "the checkpoint's signature is wrong", offset);
            }
            return {};
        });
        if (!read.ok() && read.error().kind() == ErrorKind::not_found) {
            find(AuditCheck::checkpoints, true, path.string(),
                 "there is no transparency log here, so nobody but the journal itself says what it should be");
            return false;
        }
        if (!read.ok()) find(AuditCheck::checkpoints, false, path.string(), read.error().message(), reader.end);
        report_.key = reader.key;
        return true;
    }

    // The files that others are given.
    void check_what_is_shown(const Result<Bytes>& newest) {
        const auto key_path = options_.log / "vkey";
        const auto vkey = storage::read_whole(disk_, key_path, 1024);
        if (vkey.ok()) {
            const auto key = NoteKey::parse(as_text(*vkey));
            if (!key.ok() || *key != *report_.key)
                find(AuditCheck::checkpoints, false, key_path.string(), "this is not the key that the log signs with");
        }
        const auto path = options_.log / "checkpoint";
        if (!newest.ok()) return;
        const auto checkpoint = open_checkpoint(as_text(*newest), *report_.key);
        if (!checkpoint.ok()) {
            find(AuditCheck::checkpoints, false, path.string(), checkpoint.error().message());
            return;
        }
        known_.push_back({checkpoint->size, checkpoint->root, path.string(), std::nullopt, false});
        if (checkpoint->size > report_.signed_commands) {
            find(AuditCheck::checkpoints, false, (options_.log / "checkpoints").string(),
                 "the newest checkpoint is not in the list of all that were signed");
        }
    }

    void read_witnesses() {
        for (const std::string& note : options_.witnesses) {
            const auto checkpoint = report_.key ? open_checkpoint(note, *report_.key)
                                                : Result<Checkpoint>(Error(ErrorKind::not_found, "there is no log"));
            if (checkpoint.ok()) {
                known_.push_back(
                    {checkpoint->size, checkpoint->root, "(a checkpoint kept elsewhere)", std::nullopt, false});
                ++report_.checkpoints;
            } else {
                find(AuditCheck::checkpoints, false, "(a checkpoint kept elsewhere)", checkpoint.error().message());
            }
        }
    }

    void read_anchors(const AnchorPlace& place) {
        for (const std::string& note : place.notes) {
            const auto checkpoint = report_.key ? open_checkpoint(note, *report_.key)
                                                : Result<Checkpoint>(Error(ErrorKind::not_found, "there is no log"));
            if (checkpoint.ok()) {
                known_.push_back({checkpoint->size, checkpoint->root, place.name, std::nullopt, true});
            } else {
                find(AuditCheck::anchors, false, place.name, checkpoint.error().message());
            }
        }
        for (const AnchoredRoot& root : place.roots)
            known_.push_back({root.size, root.root, place.name, std::nullopt, true});
        if (place.torn) {
            find(AuditCheck::anchors, true, place.name,
                 "the last note is not whole: its writing was cut off, or is under way");
        }
        // Who names a place expects something there.
        if (place.notes.empty() && place.roots.empty())
            find(AuditCheck::anchors, false, place.name, "nothing of this log is anchored there");
    }

    void hold_against_known(const crypto::merkle::Frontier& tree) {
        for (; next_ < known_.size() && known_[next_].size <= tree.size(); ++next_) {
            const KnownRoot& known = known_[next_];
            // The empty log, which may be anchored too, comes before the first leaf.
            const bool same = known.size == tree.size() ? known.root == tree.root()
                                                        : known.size == 0 && known.root == crypto::merkle::empty_root();
            if (same) {
                if (known.anchored) ++report_.anchors;
                continue;
            }
            if (known.anchored) {
                find_difference(known, tree.root(),
                                "the first " + std::to_string(known.size) +
                                    " commands of the journal are not those that were anchored: the root there is " +
                                    to_hex(known.root) + ", the journal's is " + to_hex(tree.root()) +
                                    ". The history was rewritten or forked; keep both");
                continue;
            }
            find(AuditCheck::checkpoints, false, known.file,
                 "the first " + std::to_string(known.size) + " commands of the journal are not those that were signed",
                 known.offset);
        }
    }

    void report_journal() {
        const ReplayResult& journal = report_.journal;
        if (journal.damage) {
            const Damage& damage = *journal.damage;
            std::string message = damage.cause;
            if (damage.should_be) {
                constexpr std::string_view digits = "0123456789abcdef";
                message += "; if one byte changed, it was 0x";
                message += digits[*damage.should_be >> 4U];
                message += digits[*damage.should_be & 15U];
            } else if (damage.end > damage.offset) {
                message += "; it lies between here and offset " + std::to_string(damage.end);
            }
            find(damage.whole ? AuditCheck::replay : AuditCheck::journal, false, damage.file, message, damage.offset,
                 damage.exact);
        }
        if (!journal.torn_file.empty()) {
            find(AuditCheck::journal, true, journal.torn_file,
                 std::to_string(journal.torn_bytes) +
                     " bytes of a write that was cut off, or is under way; never acknowledged, cut at the next start",
                 journal.torn_offset);
        }
    }

    // The largest that the journal does not reach: of what was signed here, and of each place.
    void report_unreached() {
        std::set<std::string_view> places;
        bool signed_here = false;
        for (std::size_t i = known_.size(); i-- > next_;) {
            const KnownRoot& known = known_[i];
            if (known.anchored ? !places.insert(known.file).second : std::exchange(signed_here, true)) continue;
            const std::string size = std::to_string(known.size);
            const std::string has =
                "the journal has " + std::to_string(report_.journal.commands) + " good commands, but ";
            if (known.anchored) {
                find_difference(known, std::nullopt,
                                has + size + " are anchored there, with the root " + to_hex(known.root) +
                                    ": the log has shrunk, or an older copy was restored");
            } else {
                find(AuditCheck::checkpoints, false, known.file,
                     has + size + " were signed: committed commands are missing or damaged", known.offset);
            }
        }
    }

    void check_balances(const ledger::Ledger& ledger) {
        report_.accounts = ledger.account_count();
        report_.transfers = ledger.transfer_count();
        std::map<std::uint32_t, LedgerTotals> totals;
        for (std::size_t i = 0; i < ledger.account_count(); ++i) {
            const ledger::Account& account = ledger.account_at(i);
            LedgerTotals& of = totals[account.ledger];
            of.ledger = account.ledger;
            ++of.accounts;
            of.debits_posted += account.debits_posted;
            of.credits_posted += account.credits_posted;
            of.pending += account.debits_pending;
        }
        for (const auto& [number, of] : totals) report_.ledgers.push_back(of);
        for (const ledger::Violation& violation : ledger::check_invariants(ledger))
            find(AuditCheck::balances, false, "", std::string(violation.checker) + ": " + violation.detail);
    }

    const AuditOptions& options_;
    storage::Disk& disk_;
    AuditReport report_;
    std::vector<KnownRoot> known_;
    std::size_t next_ = 0;
};

}  // namespace

std::string_view name_of(AuditCheck check) noexcept {
    switch (check) {
        case AuditCheck::journal:
            return "journal";
        case AuditCheck::replay:
            return "replay";
        case AuditCheck::balances:
            return "balances";
        case AuditCheck::tree:
            return "tree";
        case AuditCheck::checkpoints:
            return "checkpoints";
        case AuditCheck::anchors:
            return "anchors";
    }
    return "unknown";
}

bool AuditReport::ok() const noexcept {
    return std::ranges::all_of(findings, &Finding::harmless);
}

Result<AuditReport> audit(const AuditOptions& options) {
    return Audit(options).run();
}

}  // namespace jiaozi::proof
