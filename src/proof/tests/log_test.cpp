// The log over a real engine: receipts that verify, restarts that give the same tree, journals that are not the signed
// ones.
#include <string>

#include <boost/json.hpp>

#include <jiaozi/codec/cbor.hpp>

#include "world.hpp"

namespace jiaozi::proof {
namespace {

class ReceiptTest : public World {
  protected:
    void SetUp() override {
        open();
        open_accounts();
        pay(77, ann, 350);
        pay(78, bob, 120);
        open_log();
    }
    Receipt receipt(uint128 payment) {
        auto made = log_->receipt(payment, seconds(10));
        EXPECT_TRUE(made.ok()) << made.error().to_string();
        return made.ok() ? std::move(*made) : Receipt{};
    }
};

TEST_F(ReceiptTest, TellsOfThePaymentAndVerifiesAlone) {
    const Receipt made = receipt(77);
    const NoteKey key = log_->key();
    close();
    const auto read = Receipt::parse(made.to_json());
    ASSERT_TRUE(read.ok()) << read.error().to_string();
    EXPECT_EQ(*read, made);
    const auto verified = verify(*read, key);
    ASSERT_TRUE(verified.ok()) << verified.error().to_string();
    ASSERT_EQ(verified->commands.size(), 2U);  // held, posted
    const auto& held = verified->commands[0];
    EXPECT_EQ(held.header.sequence, 3U);
    EXPECT_EQ(held.header.transfers, 2U);
    ASSERT_EQ(held.parts.size(), 2U);  // the money and the annotation; not the allowance
    const auto& money_held = std::get<TransferPart>(held.parts[0]);
    EXPECT_EQ(money_held.transfer.id, 772U);
    EXPECT_EQ(money_held.transfer.amount, 350U);
    EXPECT_EQ(money_held.result, ledger::CreateTransferResult::ok);
    EXPECT_EQ(money_held.transfer.timestamp, held.header.timestamp_ns);
    EXPECT_EQ(std::get<AnnotationPart>(held.parts[1]).bytes, annotation(77));
    EXPECT_EQ(std::get<TransferPart>(verified->commands[1].parts[0]).transfer.pending_id, 772U);
}

TEST_F(ReceiptTest, ShowsNothingOfOtherPayments) {
    const std::string text = receipt(77).to_json();
    // Neither the ids of the other payment nor the allowance, in whatever encoding the parts are.
    for (const DisclosedCommand& command : receipt(77).commands) {
        for (const DisclosedPart& part : command.disclosed) {
            const auto decoded = *decode_part(part.bytes);
            if (const auto* moved = std::get_if<TransferPart>(&decoded)) {
                EXPECT_EQ(moved->transfer.code == 0 ? 77U : moved->transfer.user_data_128, 77U);
                EXPECT_NE(moved->transfer.code, secret);
            }
        }
    }
    EXPECT_EQ(log_->receipt(4711, seconds(10)).error().kind(), ErrorKind::not_found);
}

// An annotation in rows (docs/formats/receipt.md, Parts), each the 16 bytes of its subject.
Bytes in_rows(std::uint8_t kind, const std::vector<Bytes>& rows) {
    codec::CborWriter out;
    out.map(2).uint(1).uint(kind).uint(2).array(rows.size());
    for (const Bytes& row : rows) out.bytes(row);
    return out.take();
}

TEST(Rows, OnlyAnnotationsOfTheseKindsAreCutAndEachRowStandsAlone) {
    const Bytes one = Bytes(16, 1);
    const Bytes two = Bytes(30, 2);
    EXPECT_EQ(rows_of(in_rows(96, {one, two})), (std::vector<Bytes>{in_rows(96, {one}), in_rows(96, {two})}));
    EXPECT_EQ(rows_of(in_rows(127, {one})), std::vector<Bytes>{in_rows(127, {one})});
    for (const std::uint8_t kind : std::to_array<std::uint8_t>({32, 64, 75, 95, 128}))
        EXPECT_TRUE(rows_of(in_rows(kind, {one})).empty()) << kind;
    EXPECT_TRUE(rows_of(in_rows(96, {})).empty());
    EXPECT_TRUE(rows_of({}).empty());
    const Bytes whole = in_rows(96, {one, two});
    for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_TRUE(rows_of(ByteView(whole).first(size)).empty());
    Bytes longer = whole;
    longer.push_back(0);
    EXPECT_TRUE(rows_of(longer).empty());
}

TEST_F(ReceiptTest, OfACommandInRowsItShowsOneRow) {
    rows_have_subjects = true;
    open_log();
    commit({.transfers = {transfer(500, ann, shop, 3, 91), transfer(501, ann, shop, 4, 92)},
            .annotation = in_rows(96, {annotation(91), annotation(92), annotation(93)})});
    commit({.annotation = in_rows(97, {annotation(93)})});
    struct Row {
        uint128 subject;
        std::size_t commands;
        std::vector<uint128> transfers;
    };
    for (const Row& row : {Row{91, 1, {500}}, Row{92, 1, {501}}, Row{93, 2, {}}}) {
        const Receipt made = receipt(row.subject);
        const auto verified = verify(*Receipt::parse(made.to_json()), log_->key());
        ASSERT_TRUE(verified.ok()) << verified.error().to_string();
        ASSERT_EQ(verified->commands.size(), row.commands);
        const VerifiedCommand& first = verified->commands.front();
        EXPECT_EQ(first.header.rows, 3U);
        std::vector<uint128> moved;
        for (const Part& part : first.parts) {
            if (const auto* transfer = std::get_if<TransferPart>(&part)) moved.push_back(transfer->transfer.id);
        }
        EXPECT_EQ(moved, row.transfers);
        ASSERT_EQ(first.parts.size(), row.transfers.size() + 1);
        EXPECT_EQ(std::get<AnnotationPart>(first.parts.back()).bytes, in_rows(96, {annotation(row.subject)}));
    }
    // A row counts as one part: a header that says otherwise proves nothing.
    Receipt bent = receipt(93);
    bent.commands.front().disclosed.front().bytes[0] = 0;
    EXPECT_FALSE(verify(bent, log_->key()).ok());
}

TEST_F(ReceiptTest, EveryChangeIsFound) {
    const Receipt good = receipt(77);
    const NoteKey key = log_->key();
    ASSERT_TRUE(verify(good, key).ok());
    struct Row {
        const char* what;
        void (*change)(Receipt&);
    };
    const Row rows[] = {
        {"the amount", [](Receipt& r) { r.commands[0].disclosed[1].bytes[1 + 48] ^= 1; }},
        {"the result", [](Receipt& r) { r.commands[0].disclosed[1].bytes[1 + 128] ^= 1; }},
        {"the annotation", [](Receipt& r) { r.commands[0].disclosed[2].bytes.back() ^= 1; }},
        {"the time", [](Receipt& r) { r.commands[0].disclosed[0].bytes[9] ^= 1; }},
        {"a salt", [](Receipt& r) { r.commands[0].disclosed[1].salt[0] ^= 1; }},
        {"a path", [](Receipt& r) { r.commands[0].disclosed[1].path[0][0] ^= 1; }},
        {"an inclusion proof", [](Receipt& r) { r.commands[1].inclusion[0][0] ^= 1; }},
        {"the sequence", [](Receipt& r) { ++r.commands[1].sequence; }},
        {"the count of parts", [](Receipt& r) { ++r.commands[0].parts; }},
        {"a part's index", [](Receipt& r) { --r.commands[0].disclosed[1].index; }},
        {"the subject", [](Receipt& r) { r.subject = 78; }},
        {"no header", [](Receipt& r) { r.commands[0].disclosed.erase(r.commands[0].disclosed.begin()); }},
        {"the order", [](Receipt& r) { std::swap(r.commands[0], r.commands[1]); }},
        {"no commands", [](Receipt& r) { r.commands.clear(); }},
        {"the checkpoint's size", [](Receipt& r) { r.checkpoint[r.checkpoint.find('\n') + 1] ^= 1; }},
    };
    for (const Row& row : rows) {
        Receipt changed = good;
        row.change(changed);
        EXPECT_FALSE(verify(changed, key).ok()) << row.what;
    }
}

TEST_F(ReceiptTest, TextThatIsNoReceiptIsRefused) {
    const std::string good = receipt(77).to_json();
    for (std::size_t cut = 0; cut < good.size(); cut += 7) EXPECT_FALSE(Receipt::parse(good.substr(0, cut)).ok());
    for (
        const char* text :
        {"", "[]", "{}", R"({"format":"jiaozi/receipt/2","subject":"","checkpoint":"","commands":[]})",
         R"({"format":"jiaozi/receipt/1","subject":"00","checkpoint":"","commands":[]})",
         R"({"format":"jiaozi/receipt/1","subject":"00000000000000000000000000000001","checkpoint":"","commands":[7]})"})
        EXPECT_FALSE(Receipt::parse(text).ok()) << text;
}

TEST_F(ReceiptTest, AHoldThatRanOutIsInItsReceipt) {
    ledger::Transfer hold = transfer(991, ann, shop, 40, 99, ledger::transfer_flags::pending);
    hold.timeout_s = 5;
    commit({.transfers = {hold}, .annotation = annotation(99)});
    clock_.advance(seconds(10));
    commit({.transfers = {transfer(992, till, ann, 1)}});
    const auto verified = verify(receipt(99), log_->key());
    ASSERT_TRUE(verified.ok()) << verified.error().to_string();
    ASSERT_EQ(verified->commands.size(), 2U);
    EXPECT_EQ(std::get<ExpiredPart>(verified->commands[1].parts.at(0)).pending_id, 991U);
}

TEST_F(ReceiptTest, ARestartGivesTheSameTreeAndOldReceiptsStayGood) {
    const Receipt before = receipt(77);
    const std::string checkpoint = *log_->checkpoint();
    const NoteKey key = log_->key();
    close();
    open();
    open_log();
    EXPECT_EQ(log_->key(), key);
    EXPECT_EQ(*log_->checkpoint(), checkpoint);  // nothing new: nothing is signed again
    pay(79, ann, 5);
    const Receipt after = receipt(77);
    EXPECT_TRUE(verify(before, key).ok());
    EXPECT_TRUE(verify(after, key).ok());
    EXPECT_EQ(before.commands[0].disclosed, after.commands[0].disclosed);
    // What was removed of the folder is made again from the journal, with the same hashes.
    close();
    std::filesystem::remove_all(folder_.path() / "log/tile");
    open();
    open_log();
    EXPECT_EQ(receipt(77).commands[0].disclosed, before.commands[0].disclosed);
    EXPECT_FALSE(log_->failure().has_value());
}

TEST_F(ReceiptTest, CheckpointsOfAllTimesAreConsistentByTheTilesAlone) {
    std::vector<Checkpoint> checkpoints;
    for (uint128 payment = 100; payment < 110; ++payment) {
        checkpoints.push_back(*open_checkpoint(*log_->sign_now(seconds(10)), log_->key()));
        pay(payment, bob, 1);
    }
    class Served final : public crypto::merkle::NodeSource {
      public:
        explicit Served(const Log& log) : log_(log) {}
        Result<crypto::Digest> node(unsigned level, std::uint64_t index) override {
            JZ_TRY(const Bytes tile, log_.tile("0/000.p/" + std::to_string((index + 1) << level)));
            std::vector<crypto::Digest> hashes(std::size_t{1} << level);
            for (std::size_t i = 0; i < hashes.size(); ++i)
                std::copy_n(tile.end() - static_cast<std::ptrdiff_t>(32 * (hashes.size() - i)), 32, hashes[i].begin());
            return crypto::merkle::root_of(hashes);
        }

      private:
        const Log& log_;
    } served(*log_);
    for (std::size_t i = 1; i < checkpoints.size(); ++i) {
        const auto proof = crypto::merkle::consistency_proof(served, checkpoints[i - 1].size, checkpoints[i].size);
        ASSERT_TRUE(proof.ok()) << proof.error().to_string();
        EXPECT_TRUE(crypto::merkle::verify_consistency(checkpoints[i - 1].size, checkpoints[i - 1].root,
                                                       checkpoints[i].size, checkpoints[i].root, *proof));
    }
}

TEST_F(ReceiptTest, AJournalThatIsNotTheSignedOneStopsTheLog) {
    ASSERT_TRUE(log_->sign_now(seconds(10)).ok());
    close();
    // Another history of the same length in the journal's place.
    std::filesystem::rename(folder_.path() / "journal", folder_.path() / "other");
    open();
    EXPECT_EQ(start_log().error().code(), "journal_shorter_than_log");
    open_accounts();
    pay(77, ann, 351);
    pay(78, bob, 120);
    open_log();
    EXPECT_EQ(log_->sign_now(seconds(10)).error().code(), "journal_differs_from_log");
    EXPECT_TRUE(log_->failure().has_value());
}

TEST_F(ReceiptTest, AnotherNameOrAnotherSaltIsNoticed) {
    ASSERT_TRUE(log_->sign_now(seconds(10)).ok());
    log_.reset();
    EXPECT_EQ(start_log("other.example/journal").error().param(), "origin");
    salt_ = crypto::SecretBytes::random(32);
    open_log();
    pay(80, ann, 1);
    EXPECT_EQ(log_->sign_now(seconds(10)).error().code(), "journal_differs_from_log");
}

}  // namespace
}  // namespace jiaozi::proof
